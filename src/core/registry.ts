/** What a method is and where it comes from: contract tests, command line choices and docs/systems.md are made from these. */
export interface Method {
  /** The exported function or class. */
  // biome-ignore lint/complexity/noBannedTypes: a registry holds functions of every signature
  readonly method: Function;
  /** One line: the problem it solves. */
  readonly summary: string;
  /** Row ids of the papers it makes work (docs/systems.md), if any. */
  readonly papers?: readonly number[];
  /** The test that proves it, from the top folder. */
  readonly test: string;
  /** Of an optimizer that trains a model by name: the options it takes from `fit` and the command line besides learningRate. */
  readonly settings?: readonly string[];
}

/** An area's methods by the kebab-case of their export. */
export type Registry = Readonly<Record<string, Method>>;
