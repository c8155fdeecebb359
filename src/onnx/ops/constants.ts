// Constant, ConstantOfShape, Range, Dropout: values that do not depend on the data, or pass it through.
import { GraphError } from '../../core/errors.js';
import { sizeOf } from '../../core/tensor.js';
import type { ValueType } from '../builder.js';
import { isStatic, quotient } from '../dims.js';
import { type GraphTensor, graphTensor, numbersOf, tensorOf, where } from '../graph.js';
import { constantRule, likeFirst, type Rule } from './rule.js';

export const Constant: Rule = {
  infer: () => [],
  expand: (node, b) => {
    const [entry] = Object.entries(node.attributes).filter(([name]) => name.startsWith('value') || name === 'sparse_value');
    if (!entry) throw new GraphError(`${where(node).node}: expected a value, got none`, where(node));
    const [name, attribute] = entry;
    let tensor: GraphTensor | undefined;
    if (attribute.type === 'tensor') tensor = attribute.value;
    else if (attribute.type === 'float') tensor = graphTensor('float32', [attribute.value], []);
    else if (attribute.type === 'int') tensor = graphTensor('int64', [attribute.value], []);
    else if (attribute.type === 'floats') tensor = graphTensor('float32', attribute.value);
    else if (attribute.type === 'ints') tensor = graphTensor('int64', attribute.value);
    if (!tensor) throw new GraphError(`${where(node).node}: expected numbers in ${name}, got ${attribute.type}`, where(node));
    return [b.constant(tensor, node.outputs[0])];
  },
};

export const ConstantOfShape: Rule = {
  ...constantRule((node, b): ValueType[] => {
    const value = tensorOf(node, 'value');
    const wanted = b.extentsOf(node.inputs[0]!);
    return [{ type: value?.type ?? 'float32', shape: wanted }];
  }),
  expand: (node, b) => {
    const value = tensorOf(node, 'value') ?? graphTensor('float32', [0]);
    const wanted = b.extentsOf(node.inputs[0]!);
    const scalar = b.constant({ ...value, shape: [] });
    if (!wanted) return undefined;
    if (!isStatic(wanted)) return [b.expand(scalar, wanted)];
    const size = sizeOf(wanted);
    if (size > 64) return [b.expand(scalar, wanted)];
    return [b.constant(graphTensor(value.type, new Array<number>(size).fill(numbersOf(value)[0]!), wanted))];
  },
};

export const Range = constantRule((node, b): ValueType[] => {
  const type = b.elementType(node.inputs[0]!);
  const [start, limit, delta] = node.inputs.map((name) => b.extentsOf(name)?.[0]);
  if (start === undefined || limit === undefined || delta === undefined) return [{ type, shape: [`(${node.outputs[0]}.0)`] }];
  if (typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number') {
    const length = Math.max(0, Math.ceil((limit - start) / delta));
    return [{ type, shape: [length], value: Array.from({ length }, (_, i) => start + i * delta) }];
  }
  return [{ type, shape: [start === 0 ? quotient(limit, delta, true) : `(${node.outputs[0]}.0)`] }];
});

/** At inference Dropout passes its input through; its mask is all true. */
export const Dropout: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const training = node.inputs[2] ? b.constantOf(node.inputs[2]) : undefined;
    const ratio = node.inputs[1] ? b.constantOf(node.inputs[1]) : undefined;
    const drops = !ratio || numbersOf(ratio)[0] !== 0;
    if (drops && node.inputs[2] && (!training || numbersOf(training)[0] !== 0)) {
      throw new GraphError(`${where(node).node}: expected Dropout at inference, got training_mode`, where(node));
    }
    const [x] = node.inputs as [string];
    if (node.outputs.length < 2) return [x];
    return [x, b.expand(b.constant(graphTensor('bool', [1], [])), b.shape(x))];
  },
};
