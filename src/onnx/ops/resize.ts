// Resize: linear along each axis, whatever the mode, so its transpose is a product with the transposed interpolation matrix.
import { type Builder, floatTensor, type Value, type ValueType } from '../builder.js';
import { sameShape } from '../dims.js';
import { type Attribute, type Dim, floatOf, intsOf, type Node, numbersOf, stringOf } from '../graph.js';
import { type AxisPlan, tapsOf } from '../interpolation.js';
import { fail } from '../reference/value.js';
import { fromFront, type Rule } from './rule.js';

/** The elements of a constant of floats. */
function constantNumbers(name: Value | undefined, node: Node, b: Builder): number[] | undefined {
  if (!name) return undefined;
  const tensor = b.constantOf(name);
  if (!tensor) throw fail(node, `expected scales and regions known before running, got the computed tensor ${name}`);
  return tensor.data.length ? numbersOf(tensor) : undefined;
}

/** Axis by axis: how far it is resized, undefined for axes that stay as they are. */
function plansOf(node: Node, b: Builder): (AxisPlan | undefined)[] {
  const [x, roiInput, scalesInput, sizesInput] = node.inputs as [Value, Value?, Value?, Value?];
  const shape = b.shape(x);
  const axes = (intsOf(node, 'axes') ?? shape.map((_, axis) => axis)).map((axis) => fromFront(axis, shape.length));
  const scales = constantNumbers(scalesInput, node, b);
  const sizes = scales ? undefined : sizesInput && (b.extentsOf(sizesInput) ?? b.integersOf(sizesInput, node));
  const crop = stringOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
  const roi = crop ? constantNumbers(roiInput, node, b) : undefined;
  const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch');
  const ratios = policy === 'stretch' ? undefined : axes.map((axis, k) => Number(sizes?.[k]) / Number(shape[axis]));
  const common = ratios && !scales ? (policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)) : undefined;
  return shape.map((input, axis) => {
    const k = axes.indexOf(axis);
    if (k < 0 || (scales ? scales[k] === 1 : sizes?.[k] === input && common === undefined)) {
      if (!crop || k < 0 || typeof input === 'string') return undefined;
    }
    const size = sizes?.[k];
    if (typeof input === 'string' || typeof size === 'string')
      throw fail(node, `expected a known extent on resized axis ${axis}, got ${input}`);
    const scale = scales?.[k] ?? common ?? size! / input;
    const output = scales ? Math.floor(input * scale) : common === undefined ? size! : Math.round(input * common);
    return { input, output, scale, roi: roi ? [roi[k]!, roi[k + axes.length]!] : [0, 1] };
  });
}

/** [outputs, inputs]: one row of weights per output position. */
function matrixOf(node: Node, plan: AxisPlan): Float64Array {
  const matrix = new Float64Array(plan.output * plan.input);
  for (const [row, taps] of tapsOf(node, plan).entries()) {
    for (const [index, weight] of taps ?? []) matrix[row * plan.input + index]! += weight;
  }
  return matrix;
}

const shapeAfter = (node: Node, b: Builder): Dim[] => {
  const plans = plansOf(node, b);
  return b.shape(node.inputs[0]!).map((extent, axis) => plans[axis]?.output ?? extent);
};

/** What Resize of operator set 10 and Upsample do. */
const oldWay: Record<string, Attribute> = {
  coordinate_transformation_mode: { type: 'string', value: 'asymmetric' },
  nearest_mode: { type: 'string', value: 'floor' },
};

const expand: NonNullable<Rule['expand']> = (node, b, opset) => {
  if (opset >= 11 && node.op === 'Resize') return undefined;
  const { scales, ...rest } = node.attributes;
  const [x, given] = node.inputs as [Value, Value?];
  const factors = given ?? b.constant(floatTensor('float32', (scales?.value ?? []) as readonly number[], [b.rank(x)]));
  return [b.op('Resize', [x, '', factors], { ...oldWay, ...rest })];
};

export const Resize: Rule = {
  infer: (node, b): ValueType[] => [{ type: b.elementType(node.inputs[0]!), shape: shapeAfter(node, b) }],
  simplify: (node, b) => {
    const crop = stringOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
    return !crop && sameShape(b.shape(node.inputs[0]!), shapeAfter(node, b)) ? [node.inputs[0]!] : undefined;
  },
  expand,
  vjp: (node, [d], b) => {
    const rank = b.rank(d!);
    let back = d!;
    for (const [axis, plan] of plansOf(node, b).entries()) {
      if (!plan) continue;
      const matrix = b.constant(floatTensor(b.elementType(back), matrixOf(node, plan), [plan.output, plan.input]));
      if (axis === rank - 2) {
        back = b.matmul(b.transpose(matrix, [1, 0]), back);
        continue;
      }
      const order = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
      const last = b.matmul(b.transpose(back, order), matrix);
      back = b.transpose(
        last,
        order.map((_, i) => order.indexOf(i)),
      );
    }
    return [back];
  },
  jvp: (node, [d], b) => {
    const { extrapolation_value, ...rest } = node.attributes;
    return [d && b.op('Resize', [d, ...node.inputs.slice(1)], floatOf(node, 'extrapolation_value', 0) ? rest : node.attributes)];
  },
};
export const Upsample: Rule = { infer: Resize.infer, expand };
