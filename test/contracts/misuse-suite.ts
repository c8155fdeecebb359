// What the misuse-*.test.ts share. Misuse is answered by name: whatever is put in the place of an argument, of an exported function or of a method of what it returns,
// the call returns or throws an error of this package, never one of the engine's. Read from the areas and their example calls.
import * as ort from 'onnxruntime-node';
import { AfterpassError } from '../../src/core/errors.js';
import * as npy from '../../src/core/npy.js';
import { isTypedArray } from '../../src/core/tensor.js';
import { capabilities, init, tensor } from '../../src/index.js';
import { OnnxModel } from '../../src/onnx/index.js';
import { callWith, fieldsOf, optionsOf } from '../helpers/misuse.js';
import { type Area, loadAreas } from './areas.js';
import { ortCalls } from './calls/onnx.js';

const floats = () => Float32Array.of(1, 2, 3);
/** Arguments no function of the package wants. */
const lists: (() => unknown[])[] = [
  () => [],
  () => [null],
  () => [{}],
  () => ['x'],
  () => [3],
  () => [[]],
  () => [floats(), null],
  () => [floats(), undefined, null],
  () => [floats(), 'x', null],
  () => [floats(), floats(), null],
];

/** The same with NaN for its numbers; for what holds none, an array of NaN. */
function nanOf(value: unknown): unknown {
  if (isTypedArray(value)) return Float64Array.from(value as ArrayLike<number>, () => NaN);
  if (Array.isArray(value)) return value.map(nanOf);
  if (typeof value === 'number') return NaN;
  const data = (value as { data?: unknown } | null | undefined)?.data;
  return isTypedArray(data) ? { ...(value as object), data: nanOf(data) } : Float64Array.of(NaN, NaN, NaN);
}

/** What takes the place of an argument, or of a field of one; fewer where every call opens a pool of threads or a session, or builds graphs. */
const replacements = (given: unknown, few: boolean) =>
  few ? [null, {}] : [undefined, null, 'x', 3, -1, 1.5, {}, [], floats(), nanOf(given)];
const shown = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value)).slice(0, 60);
const isOwn = (error: unknown) => error instanceof AfterpassError && /^[^:]+: \S/.test(error.message);
/** Thrown by a model, an operator or a function that the call itself hands over: those answer for their own arguments. */
const isCallers = (error: unknown) =>
  /^\s+at .*test\/contracts\/calls\//m.exec((error as Error).stack ?? '')?.index === /^\s+at /m.exec((error as Error).stack ?? '')?.index;
const told = (what: string, error: unknown) => `${what}: ${error instanceof Error ? `${error.name} ${error.message}` : shown(error)}`;

/** The methods of OnnxModel; workflows on one are called with wrong arguments above all. */
const onModels = Object.fromEntries(
  Object.entries(ortCalls)
    .filter(([key]) => key !== 'pruneChannels' && key !== 'quantizeModel')
    .map(([key, call]) => [key, (area: never) => call(area, ort as never)]),
);
/** What is called besides the areas. */
const others: Area[] = [
  { name: 'afterpass', exports: { tensor, init, capabilities }, registry: undefined, calls: undefined },
  { name: 'npy', exports: npy, registry: undefined, calls: undefined },
  { name: 'onnx-model', exports: { OnnxModel }, registry: undefined, calls: onModels },
];

/** Areas in files of their own, so that none takes long; misuse.test.ts has the rest. */
const apart = {
  onnx: ['onnx'],
  compression: ['compression'],
  curvature: ['curvature'],
  transport: ['transport', 'sorting'],
  linalg: ['linalg', 'threads'],
};

/** The tests of one file. */
export async function misuse(file: keyof typeof apart | 'rest'): Promise<void> {
  const all = [...(await loadAreas()), ...others];
  const areas = all.filter(({ name }) => (file === 'rest' ? !Object.values(apart).flat().includes(name) : apart[file].includes(name)));
  describe.each(areas.map((area): [string, Area] => [area.name, area]))('%s', (area, { exports, calls = {} }) => {
    const functions = Object.entries(exports).filter(([, value]) => typeof value === 'function') as [
      string,
      new (...args: never) => object,
    ][];

    test.each(functions)('%s answers missing and wrong arguments by name', async (name, method) => {
      const asClass = /^class\b/.test(Function.prototype.toString.call(method));
      const statics = Object.entries(Object.getOwnPropertyDescriptors(method)).filter(([, { value }]) => typeof value === 'function');
      const ways: [string, (...args: unknown[]) => unknown][] = [
        [name, (...args) => (asClass ? Reflect.construct(method, args) : Reflect.apply(method as never, undefined, args))],
        ...statics.map(([key, { value }]): [string, () => unknown] => [`${name}.${key}`, value.bind(method)]),
      ];
      const wrong: string[] = [];
      for (const [way, call] of ways) {
        for (const args of lists) {
          try {
            await call(...args());
          } catch (error) {
            if (!isOwn(error)) wrong.push(told(`${way}(${args().map(shown).join(', ')})`, error));
          }
        }
      }
      expect(wrong).toEqual([]);
    });

    const examples = Object.entries(calls);
    if (examples.length > 0)
      test.each(examples)('%s names whichever argument, or field of one, is replaced by another value', async (_key, call) => {
        const wrong: string[] = [];
        const { seen } = await callWith(exports, call);
        const few = area.startsWith('onnx') || area === 'workflows' || String(call).includes('ThreadPool');
        for (const [index, { name, args }] of seen.entries()) {
          for (let argument = 0; argument <= args.length; argument++) {
            const fields = fieldsOf(args[argument]);
            const isLast = argument === (fieldsOf(args.at(-1)).length > 0 ? args.length - 1 : args.length);
            for (const field of [undefined, ...fields, ...(isLast ? optionsOf(name) : [])]) {
              const given = field === undefined ? args[argument] : (args[argument] as Record<string, unknown> | undefined)?.[field];
              for (const value of replacements(given, few)) {
                const { errors } = await callWith(exports, call, { call: index, argument, ...(field !== undefined && { field }), value });
                const place = `${name}, argument ${argument}${field === undefined ? '' : `.${field}`} = ${shown(value)}`;
                wrong.push(...errors.filter((error) => !isOwn(error) && !isCallers(error)).map((error) => told(place, error)));
              }
            }
          }
        }
        expect(wrong).toEqual([]);
      });
  });
}
