import { each, float, given, ints, normal, type OperatorCase, operatorFamily, unit } from '../../helpers/operator-cases.js';

const scaled = (shape: number[], scales: number[], attributes: OperatorCase['attributes'] = {}): OperatorCase => ({
  op: 'Resize',
  inputs: [normal(...shape), undefined, given('float32', scales)],
  attributes,
});
const sized = (shape: number[], sizes: number[], attributes: OperatorCase['attributes'] = {}): OperatorCase => ({
  op: 'Resize',
  inputs: [normal(...shape), undefined, undefined, ints(sizes)],
  attributes,
});

operatorFamily('nearest neighbours', [
  scaled([1, 2, 3, 4], [1, 1, 2, 2]),
  scaled([1, 2, 5, 7], [1, 1, 0.6, 0.5]),
  scaled([1, 1, 1, 1], [1, 1, 1, 1]),
  ...['asymmetric', 'pytorch_half_pixel', 'align_corners', 'half_pixel'].flatMap((coordinate_transformation_mode) =>
    ['floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil'].map((nearest_mode) =>
      sized([1, 2, 4, 5], [1, 2, 7, 3], { coordinate_transformation_mode, nearest_mode }),
    ),
  ),
]);

operatorFamily('linear and cubic interpolation', [
  ...['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric'].flatMap(
    (coordinate_transformation_mode) => [
      scaled([1, 2, 3, 4], [1, 1, 2, 2], { mode: 'linear', coordinate_transformation_mode }),
      sized([2, 1, 5, 4], [2, 1, 3, 6], { mode: 'linear', coordinate_transformation_mode }),
    ],
  ),
  sized([1, 2, 5], [1, 2, 8], { mode: 'linear' }),
  sized([1, 1, 3, 4, 2], [1, 1, 5, 3, 4], { mode: 'linear' }),
  sized([1, 1, 4, 4], [1, 1, 1, 6], { mode: 'linear', coordinate_transformation_mode: 'pytorch_half_pixel' }),
  ...each(
    sized([1, 1, 5, 6], [1, 1, 8, 4], { mode: 'cubic' }),
    {},
    { cubic_coeff_a: float(-0.5) },
    { exclude_outside: 1 },
    { coordinate_transformation_mode: 'align_corners' },
  ),
  ...['linear', 'cubic'].map((mode) => sized([1, 1, 8, 9], [1, 1, 3, 5], { mode, antialias: 1 })),
  { op: 'Resize', inputs: [normal(2, 3, 4, 1), undefined, undefined, ints([6, 7])], attributes: { axes: [1, 2], mode: 'linear' } },
  {
    op: 'Resize',
    inputs: [normal(1, 1, 4, 5), given('float32', [0, 0, 0.1, 0.3, 1, 1, 0.8, 1.2]), undefined, ints([1, 1, 3, 4])],
    attributes: { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: float(0.25) },
  },
  ...['not_larger', 'not_smaller'].map(
    (keep_aspect_ratio_policy): OperatorCase => ({
      op: 'Resize',
      inputs: [normal(1, 1, 4, 6), undefined, undefined, ints([7, 8])],
      attributes: { axes: [2, 3], mode: 'linear', keep_aspect_ratio_policy },
    }),
  ),
  ...each(
    { op: 'Resize', opset: 10, inputs: [normal(1, 2, 3, 4), given('float32', [1, 1, 2, 1.5])] },
    { mode: 'nearest' },
    { mode: 'linear' },
  ),
  ...each(
    { op: 'Upsample', opset: 9, inputs: [normal(1, 2, 3, 4), given('float32', [1, 1, 2, 2])] },
    { mode: 'nearest' },
    { mode: 'linear' },
  ),
]);

operatorFamily('samples between pixels', [
  ...['zeros', 'border', 'reflection'].flatMap((padding_mode) =>
    [0, 1].map(
      (align_corners): OperatorCase => ({
        op: 'GridSample',
        opset: 16,
        inputs: [normal(2, 3, 4, 5), normal(2, 3, 2, 2)],
        attributes: { mode: 'bilinear', padding_mode, align_corners },
        seed: 5,
      }),
    ),
  ),
  { op: 'GridSample', opset: 20, inputs: [normal(2, 3, 4, 5), unit(2, 3, 2, 2)] },
  { op: 'GridSample', opset: 20, inputs: [normal(2, 3, 4, 5), unit(2, 3, 2, 2)], attributes: { mode: 'nearest', align_corners: 1 } },
]);
