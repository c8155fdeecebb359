/** Base of every error afterpass throws on purpose; `code` is stable across versions, the message reads `name: expected …, got …`. */
export class AfterpassError extends Error {
  readonly code: string;
  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** An array or tensor whose length or shape does not fit the others. */
export class ShapeError extends AfterpassError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_SHAPE', options);
  }
}

/** A value outside the set a function is defined on: a negative weight, a NaN, an unknown option. */
export class DomainError extends AfterpassError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_DOMAIN', options);
  }
}

/** An ONNX graph that cannot be read or differentiated; `node` and `op` name the first culprit, `all` lists every one. */
export class GraphError extends AfterpassError {
  readonly node: string | undefined;
  readonly op: string | undefined;
  readonly all: readonly string[];
  constructor(message: string, where: { node?: string; op?: string; all?: readonly string[] } = {}, options?: ErrorOptions) {
    super(message, 'ERR_GRAPH', options);
    this.node = where.node;
    this.op = where.op;
    this.all = where.all ?? [];
  }
}

/** The WebAssembly kernels or an ONNX Runtime could not be loaded; the message says what to do. */
export class RuntimeLoadError extends AfterpassError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_RUNTIME_LOAD', options);
  }
}

/** WebAssembly memory could not grow; the message names the size asked for and the limit. The instance stays usable. */
export class MemoryError extends AfterpassError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_MEMORY', options);
  }
}

/** The caller's AbortSignal fired; `cause` is its reason. */
export class AbortError extends AfterpassError {
  constructor(reason?: unknown) {
    super('signal: the work was aborted by the caller', 'ERR_ABORTED', { cause: reason });
  }
}
