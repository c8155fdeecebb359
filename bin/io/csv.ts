// Tables of numbers as text: comma, semicolon, tab or blanks between fields, an optional line of names, # for comments.
import { DomainError, ShapeError } from '../../src/core/errors.js';
import type { Tensor } from '../../src/core/tensor.js';

/**
 * Reads a table of numbers.
 * @returns float64 [rows, columns]
 * @throws {DomainError} for a field that is no number, {ShapeError} for rows of different length, both with the line
 */
export function readCsv(text: string, name = 'csv'): Tensor<Float64Array> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const values: number[] = [];
  let rows = 0;
  let columns = 0;
  let named = false;
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] as string).trim();
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.split(/\s*[,;\t]\s*|\s+/);
    const numbers = fields.map((field) => (field === '' ? NaN : Number(field)));
    const bad = numbers.findIndex((value, i) => Number.isNaN(value) && !/^[+-]?nan$/i.test(fields[i] as string));
    if (bad >= 0) {
      if (rows === 0 && !named && numbers.every((value) => Number.isNaN(value))) {
        named = true; // the first line names the columns
        continue;
      }
      throw new DomainError(`${name}: expected a number in line ${at + 1}, column ${bad + 1}, got '${fields[bad]}'`);
    }
    if (rows > 0 && fields.length !== columns) {
      throw new ShapeError(`${name}: expected ${columns} columns in line ${at + 1}, got ${fields.length}`);
    }
    columns = fields.length;
    rows++;
    for (const value of numbers) values.push(value);
  }
  if (rows === 0) throw new DomainError(`${name}: expected rows of numbers, got none`);
  return { data: Float64Array.from(values), shape: [rows, columns] };
}

/** Writes a matrix (or a vector, as one column) with the digits that read back the same. */
export function writeCsv({ data, shape }: Tensor): string {
  const columns = shape.length > 1 ? data.length / (shape[0] as number) : 1;
  let out = '';
  for (let i = 0; i < data.length; i++) out += `${data[i]}${(i + 1) % columns ? ',' : '\n'}`;
  return out;
}
