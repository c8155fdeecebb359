// RoiAlign (He et al. 2017, arXiv:1703.06870, §3): means of values between pixels are products with weights of rows and of columns.
import { type Builder, floatTensor, type Value } from '../builder.js';
import { times } from '../dims.js';
import { type Dim, floatOf, intOf, stringOf } from '../graph.js';
import { fail } from '../reference/value.js';
import { likeFirst, type Rule } from './rule.js';

/** One axis of the image: where the samples of all bins of all regions lie, [R, bins · samples], from where regions start and end (in pixels). */
interface Samples {
  readonly bins: number;
  readonly samples: number;
  readonly extent: number;
  /** Within the image. */
  readonly near: Value;
  /** 1, or 0 for a sample beyond the image by more than a pixel: it counts nothing. */
  readonly seen: Value;
}

function samplesAlong(b: Builder, start: Value, size: Value, bins: number, samples: number, extent: number): Samples {
  const grid = Float64Array.from({ length: bins * samples }, (_, i) => (Math.floor(i / samples) + ((i % samples) + 0.5) / samples) / bins);
  const places = b.add(start, b.mul(size, b.constant(floatTensor(b.elementType(start), grid, [1, grid.length]))));
  const seen = b.op('And', [
    b.op('GreaterOrEqual', [places, b.scalar(places, -1)]),
    b.op('LessOrEqual', [places, b.scalar(places, extent)]),
  ]);
  const near = b.op('Clip', [places, b.scalar(places, 0), b.scalar(places, extent - 1)]);
  return { bins, samples, extent, near, seen: b.cast(seen, b.elementType(near)) };
}

/** [R, bins, extent]: what share every pixel has in every bin of every region. */
function shares(b: Builder, { bins, samples, extent, near, seen }: Samples): Value {
  const pixels = b.constant(
    floatTensor(
      b.elementType(near),
      Float64Array.from({ length: extent }, (_, i) => i),
      [1, 1, extent],
    ),
  );
  const away = b.op('Abs', [b.sub(b.unsqueeze(near, [2]), pixels)]);
  const tents = b.op('Relu', [b.sub(b.scalar(away, 1), away)]);
  const weights = b.mul(tents, b.unsqueeze(seen, [2]));
  const regions = b.shape(near)[0]!;
  return b.scale(b.reduceSum(b.reshape(weights, [regions, bins, samples, extent]), [2]), 1 / samples);
}

/** The two pixels beside every sample with their weights, [R, bins · samples] each. */
function beside(b: Builder, { near, seen, extent }: Samples): [{ at: Value; weight: Value }, { at: Value; weight: Value }] {
  const low = b.op('Floor', [near]);
  const rest = b.sub(near, low);
  const high = b.op('Min', [b.add(low, b.scalar(low, 1)), b.scalar(low, extent - 1)]);
  return [
    { at: b.cast(low, 'int64'), weight: b.mul(b.sub(b.scalar(rest, 1), rest), seen) },
    { at: b.cast(high, 'int64'), weight: b.mul(rest, seen) },
  ];
}

/** The largest of the weighted pixels beside the samples of each bin, as ONNX Runtime has it (no interpolated value is formed). */
function largest(b: Builder, x: Value, images: Value, rows: Samples, columns: Samples): Value {
  const [, channels] = b.shape(x) as [Dim, Dim];
  const regions = b.shape(rows.near)[0]!;
  const count = rows.bins * rows.samples * columns.bins * columns.samples;
  const own = b.reshape(b.op('Gather', [x, images], { axis: 0 }), [regions, channels, rows.extent * columns.extent]);
  const corners = beside(b, rows).flatMap((row) =>
    beside(b, columns).map((column) => {
      const at = b.add(b.mul(b.unsqueeze(row.at, [2]), b.ints([columns.extent])), b.unsqueeze(column.at, [1]));
      const weight = b.mul(b.unsqueeze(row.weight, [2]), b.unsqueeze(column.weight, [1]));
      const pixels = b.op('GatherElements', [own, b.expand(b.reshape(at, [regions, 1, count]), [regions, channels, count])], { axis: 2 });
      return b.mul(pixels, b.reshape(weight, [regions, 1, count]));
    }),
  );
  const all = b.reshape(b.op('Max', corners), [regions, channels, rows.bins, rows.samples, columns.bins, columns.samples]);
  return b.op('ReduceMax', [all, b.ints([3, 5])], { keepdims: 0 });
}

/** The mean or the maximum over each bin of each region; sampling ratios that depend on the regions are refused. */
export const RoiAlign: Rule = {
  infer: likeFirst,
  expand: (node, b, opset) => {
    const [x, rois, images] = node.inputs as [Value, Value, Value];
    const samples = intOf(node, 'sampling_ratio', 0);
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
    const along = (k: number, extent: number, count: number): Samples => {
      const start = corner(k);
      const size = b.sub(corner(k + 2), start);
      return samplesAlong(b, start, half ? size : b.op('Max', [size, b.scalar(size, 1)]), count, samples, extent);
    };
    const [down, right] = [along(1, height, bins[0]), along(0, width, bins[1])];
    if (stringOf(node, 'mode', 'avg') === 'max') return [largest(b, x, images, down, right)];
    // Rows of all images side by side; a region sees those of its own.
    const values = b.cast(b.ints([0, 1]), b.elementType(x));
    const own = b.op('OneHot', [images, b.extents([n]), values], { axis: -1 });
    const rows = b.mul(b.unsqueeze(shares(b, down), [2]), b.reshape(own, [regions, 1, n, 1]));
    const left = b.reshape(rows, [times(regions, bins[0]), times(n, height)]);
    const pixels = b.reshape(b.transpose(x, [0, 2, 1, 3]), [times(n, height), times(channels, width)]);
    const across = b.reshape(b.matmul(left, pixels), [regions, bins[0], channels, width]);
    const columns = b.unsqueeze(b.transpose(shares(b, right), [0, 2, 1]), [1]);
    return [b.transpose(b.matmul(across, columns), [0, 2, 1, 3])];
  },
};
