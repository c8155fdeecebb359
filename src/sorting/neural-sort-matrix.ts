import { type RelaxedMatrix, type RelaxedMatrixOptions, relaxedMatrix } from './relaxed-matrix.js';
import type { Rows } from './rows.js';

/**
 * NeuralSort: row i (the i-th largest) is softmax_j(((n + 1 − 2i)·x_j − Σ_k |x_j − x_k|) / temperature), a relaxation whose rows
 * are unimodal and whose argmax is the exact permutation at any temperature; ascending, the rows come in reverse.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `temperature` (1, in units of x), `direction` ('ascending': row 0 is the smallest)
 * @returns `matrix` [..., n, n] with rows that sum to 1, and `backward(grad)`
 * @throws {DomainError} when temperature ≤ 0 or x is not finite; {ShapeError} when a row is empty
 * @see Grover et al. 2019, NeuralSort, arXiv:1903.08850, eq. 5
 */
export function neuralSortMatrix<X extends Rows>(x: X, options: RelaxedMatrixOptions = {}): RelaxedMatrix<X> {
  return relaxedMatrix(x, options, ({ n }, descending) => {
    const slope = (i: number) => (descending ? n - 1 - 2 * i : 2 * i + 1 - n);
    return {
      fill: (logits, values, row) => {
        const start = row * n;
        for (let j = 0; j < n; j++) {
          const value = values[start + j] as number;
          let spread = 0;
          for (let k = start; k < start + n; k++) spread += Math.abs(value - (values[k] as number));
          for (let i = 0; i < n; i++) logits[i * n + j] = slope(i) * value - spread;
        }
      },
      pull: (gx, glogits, values, row) => {
        const start = row * n;
        for (let j = 0; j < n; j++) {
          let direct = 0;
          let column = 0;
          for (let i = 0; i < n; i++) {
            direct += slope(i) * (glogits[i * n + j] as number);
            column += glogits[i * n + j] as number;
          }
          gx[start + j] = (gx[start + j] as number) + direct;
          for (let k = 0; k < n; k++) {
            const g = column * Math.sign((values[start + j] as number) - (values[start + k] as number));
            gx[start + j] = (gx[start + j] as number) - g;
            gx[start + k] = (gx[start + k] as number) + g;
          }
        }
      },
    };
  });
}
