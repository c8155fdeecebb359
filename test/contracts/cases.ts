// The example calls of every area, one by one, and the numbers they come to.
import * as ort from 'onnxruntime-node';
import { numbersOf } from '../../src/bench/agreement.js';
import { OnnxModel } from '../../src/onnx/index.js';
import { Instance } from '../../src/runtime/instance.js';
import { loadAreas } from './areas.js';
import { ortCalls } from './calls/onnx.js';

export type Call = (area: object) => unknown;
const areas = await loadAreas();
export const cases = areas.flatMap(({ name, exports, calls = {} }) =>
  Object.entries(calls).map(([key, call]): [string, object, Call] => [`${name}/${key}`, exports, call as Call]),
);
export const onModels = Object.entries(ortCalls).map(([key, call]): [string, object, Call] => [
  `OnnxModel/${key}`,
  { OnnxModel },
  (area) => call(area as never, ort as never),
]);

const { arena } = new Instance();

export const numbers = async (call: Call, area: object): Promise<number[]> => numbersOf(await call(area), arena);
