// RoiAlign (He et al. 2017, arXiv:1703.06870, §3): means of values between pixels are products with weights of rows and of columns.
import { type Builder, floatTensor, type Value } from '../builder.js';
import { times } from '../dims.js';
import { type Dim, floatOf, intOf, stringOf } from '../graph.js';
import { fail } from '../reference/value.js';
import { likeFirst, type Rule } from './rule.js';

/**
 * Along one axis of the image: [R, bins, extent], what share every pixel has in every bin of every region, from where regions start and
 * end (in pixels). A sample beyond the image by more than a pixel counts nothing, nearer ones count as the border.
 */
function shares(b: Builder, start: Value, size: Value, bins: number, samples: number, extent: number): Value {
  const grid = Float64Array.from({ length: bins * samples }, (_, i) => (Math.floor(i / samples) + ((i % samples) + 0.5) / samples) / bins);
  const vector = (values: Float64Array): Value => b.constant(floatTensor(b.elementType(start), values, [1, values.length]));
  const places = b.add(start, b.mul(size, vector(grid)));
  const seen = b.op('And', [
    b.op('GreaterOrEqual', [places, b.scalar(places, -1)]),
    b.op('LessOrEqual', [places, b.scalar(places, extent)]),
  ]);
  const near = b.op('Clip', [places, b.scalar(places, 0), b.scalar(places, extent - 1)]);
  const pixels = b.unsqueeze(vector(Float64Array.from({ length: extent }, (_, i) => i)), [0]);
  const away = b.op('Abs', [b.sub(b.unsqueeze(near, [2]), pixels)]);
  const tents = b.op('Relu', [b.sub(b.scalar(away, 1), away)]);
  const weights = b.mul(tents, b.unsqueeze(b.cast(seen, b.elementType(tents)), [2]));
  const regions = b.shape(start)[0]!;
  return b.scale(b.reduceSum(b.reshape(weights, [regions, bins, samples, extent]), [2]), 1 / samples);
}

/** The mean over each bin of each region; the maximum, and sampling ratios that depend on the regions, are refused. */
export const RoiAlign: Rule = {
  infer: likeFirst,
  expand: (node, b, opset) => {
    const [x, rois, images] = node.inputs as [Value, Value, Value];
    const samples = intOf(node, 'sampling_ratio', 0);
    if (stringOf(node, 'mode', 'avg') !== 'avg') throw fail(node, 'expected mode avg, got max');
    if (samples < 1) throw fail(node, 'expected a sampling_ratio, got 0: as many samples as each region asks for');
    const [height, width] = b.staticShape(x, 2) as [number, number];
    const [n, channels] = b.shape(x) as [Dim, Dim];
    const regions = b.shape(rois)[0]!;
    const bins: [number, number] = [intOf(node, 'output_height', 1), intOf(node, 'output_width', 1)];
    const half = stringOf(node, 'coordinate_transformation_mode', opset < 16 ? 'output_half_pixel' : 'half_pixel') === 'half_pixel';
    const corner = (k: number): Value => {
      const scaled = b.scale(b.slice(rois, [1], [k], [k + 1]), floatOf(node, 'spatial_scale', 1));
      return half ? b.sub(scaled, b.scalar(scaled, 0.5)) : scaled;
    };
    const along = (k: number, extent: number, count: number): Value => {
      const start = corner(k);
      const size = b.sub(corner(k + 2), start);
      return shares(b, start, half ? size : b.op('Max', [size, b.scalar(size, 1)]), count, samples, extent);
    };
    // Rows of all images side by side; a region sees those of its own.
    const values = b.cast(b.ints([0, 1]), b.elementType(x));
    const own = b.op('OneHot', [images, b.extents([n]), values], { axis: -1 });
    const rows = b.mul(b.unsqueeze(along(1, height, bins[0]), [2]), b.reshape(own, [regions, 1, n, 1]));
    const left = b.reshape(rows, [times(regions, bins[0]), times(n, height)]);
    const right = b.reshape(b.transpose(x, [0, 2, 1, 3]), [times(n, height), times(channels, width)]);
    const across = b.reshape(b.matmul(left, right), [regions, bins[0], channels, width]);
    const columns = b.unsqueeze(b.transpose(along(0, width, bins[1]), [0, 2, 1]), [1]);
    return [b.transpose(b.matmul(across, columns), [0, 2, 1, 3])];
  },
};
