// GridSample on images: values between pixels, written out as gathers and products.
import type { Builder, Value } from '../builder.js';
import { product } from '../dims.js';
import { type Dim, intOf, type Node, stringOf } from '../graph.js';
import { fail } from '../reference/value.js';
import { likeFirst, type Rule } from './rule.js';

/** One axis of the image: places to sample along it, in pixels. */
interface Axis {
  readonly place: Value;
  readonly extent: number;
}

/** A place on the grid from −1 to 1 as pixels, then brought into the image as the padding mode says. */
function pixels(b: Builder, node: Node, grid: Value, extent: number): Axis {
  const aligned = intOf(node, 'align_corners', 0) !== 0;
  const [slope, shift] = aligned ? [(extent - 1) / 2, (extent - 1) / 2] : [extent / 2, (extent - 1) / 2];
  const place = b.add(b.scale(grid, slope), b.scalar(grid, shift));
  const padding = stringOf(node, 'padding_mode', 'zeros');
  if (padding === 'zeros') return { place, extent };
  const inside = padding === 'border' ? place : reflected(b, place, aligned ? 0 : -0.5, aligned ? extent - 1 : extent);
  return { place: b.op('Clip', [inside, b.scalar(grid, 0), b.scalar(grid, extent - 1)]), extent };
}

/** A place folded back and forth between low and low + range. */
function reflected(b: Builder, place: Value, low: number, range: number): Value {
  if (range === 0) return b.scale(place, 0);
  const away = b.op('Abs', [b.sub(place, b.scalar(place, low))]);
  const turns = b.op('Floor', [b.scale(away, 1 / (2 * range))]);
  const rest = b.sub(away, b.scale(turns, 2 * range));
  const folded = b.op('Abs', [b.sub(rest, b.scalar(rest, range))]);
  return b.sub(b.scalar(place, low + range), folded);
}

/** The pixels at whole coordinates [n, h, w]: [n, C, h, w], zeros outside the image. */
function at(b: Builder, x: Value, rows: Axis, columns: Axis, padded: boolean): Value {
  const [n, channels] = b.shape(x) as [Dim, Dim];
  const outside = (axis: Axis): Value => {
    const low = b.op('GreaterOrEqual', [axis.place, b.scalar(axis.place, 0)]);
    return b.op('And', [low, b.op('LessOrEqual', [axis.place, b.scalar(axis.place, axis.extent - 1)])]);
  };
  const clipped = ({ place, extent }: Axis): Value => b.op('Clip', [place, b.scalar(place, 0), b.scalar(place, extent - 1)]);
  const index = b.cast(b.add(b.scale(clipped(rows), columns.extent), clipped(columns)), 'int64');
  const shape = b.shape(index);
  const places = product(shape.slice(1));
  const flat = b.reshape(x, [n, channels, rows.extent * columns.extent]);
  const wide = b.expand(b.reshape(index, [shape[0]!, 1, places]), [n, channels, places]);
  const values = b.reshape(b.op('GatherElements', [flat, wide], { axis: 2 }), [n, channels, ...shape.slice(1)]);
  if (!padded) return values;
  const seen = b.cast(b.op('And', [outside(rows), outside(columns)]), b.elementType(x));
  return b.mul(values, b.unsqueeze(seen, [1]));
}

export const GridSample: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x, grid] = node.inputs as [Value, Value];
    const mode = stringOf(node, 'mode', 'linear');
    if (b.rank(x) !== 4) throw fail(node, `expected images [n, C, h, w], got [${b.shape(x)}]`);
    if (!/^(bi)?linear$|^nearest$/.test(mode)) throw fail(node, `expected mode linear or nearest, got ${mode}`);
    const [height, width] = b.staticShape(x, 2) as [number, number];
    const coordinate = (k: number): Value => b.squeeze(b.slice(grid, [3], [k], [k + 1]), [3]);
    const columns = pixels(b, node, coordinate(0), width);
    const rows = pixels(b, node, coordinate(1), height);
    const padded = stringOf(node, 'padding_mode', 'zeros') === 'zeros';
    if (mode === 'nearest') {
      const whole = (axis: Axis): Axis => ({ ...axis, place: b.op('Round', [axis.place]) });
      return [at(b, x, whole(rows), whole(columns), padded)];
    }
    const corners = [rows, columns].map((axis) => {
      const low = b.op('Floor', [axis.place]);
      const share = b.sub(axis.place, low);
      return [
        { axis: { ...axis, place: low }, weight: b.sub(b.scalar(share, 1), share) },
        { axis: { ...axis, place: b.add(low, b.scalar(low, 1)) }, weight: share },
      ];
    });
    const parts = corners[0]!.flatMap((row) =>
      corners[1]!.map((column) => {
        const weight = b.unsqueeze(b.mul(row.weight, column.weight), [1]);
        return b.mul(at(b, x, row.axis, column.axis, padded), weight);
      }),
    );
    return [b.sum(...parts)!];
  },
};
