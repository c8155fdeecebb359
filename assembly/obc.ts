// Optimal Brain Surgeon on one row of a layer: weights go one by one, the inverse Hessian of what is left follows by rank-one changes.
import { axpy } from './dot';
import { at } from './lib/lanes';

/** Removes `steps` weights of one row; see dobcRow. */
export function dobcRowRef(n: i32, steps: i32, group: i32, most: i32, w: usize, C: usize, mask: usize, order: usize, costs: usize): i32 {
  for (let step = 0; step < steps; step++) {
    const k = cheapest(n, group, most, w, C, mask);
    if (k < 0) {
      steps = step;
      break;
    }
    const pivot = load<f64>(at<f64>(C, k * n + k));
    const value = load<f64>(at<f64>(w, k));
    store<i32>(at<i32>(order, step), k);
    store<f64>(at<f64>(costs, step), (0.5 * value * value) / pivot);
    for (let j = 0; j < n; j++) store<f64>(at<f64>(w, j), load<f64>(at<f64>(w, j)) - (value / pivot) * load<f64>(at<f64>(C, k * n + j)));
    store<u8>(mask + k, 0);
    for (let i = 0; i < n; i++) {
      if (!load<u8>(mask + i)) continue;
      const factor = load<f64>(at<f64>(C, i * n + k)) / pivot;
      for (let j = 0; j < n; j++) {
        const to = at<f64>(C, i * n + j);
        store<f64>(to, load<f64>(to) - factor * load<f64>(at<f64>(C, k * n + j)));
      }
    }
  }
  for (let j = 0; j < n; j++) if (!load<u8>(mask + j)) store<f64>(at<f64>(w, j), 0);
  return steps;
}

/**
 * Removes up to `steps` weights of a row w [n], each time the one of smallest w_k²/C_kk; C [n, n] is the inverse Hessian and is overwritten,
 * mask [n] (u8) says what is left. With group > 0 at most `most` weights of every group of that many neighbours go. order (i32) and costs
 * ½w_k²/C_kk, each [steps], are filled; returns how many were removed.
 */
export function dobcRow(n: i32, steps: i32, group: i32, most: i32, w: usize, C: usize, mask: usize, order: usize, costs: usize): i32 {
  for (let step = 0; step < steps; step++) {
    const k = cheapest(n, group, most, w, C, mask);
    if (k < 0) {
      steps = step;
      break;
    }
    const row = at<f64>(C, k * n);
    const pivot = load<f64>(at<f64>(row, k));
    const value = load<f64>(at<f64>(w, k));
    store<i32>(at<i32>(order, step), k);
    store<f64>(at<f64>(costs, step), (0.5 * value * value) / pivot);
    for (let j = k + 1; j < n; j++) store<f64>(at<f64>(row, j), load<f64>(at<f64>(C, j * n + k))); // kept up to the diagonal only
    axpy<f64>(n, -value / pivot, row, w);
    store<u8>(mask + k, 0);
    for (let i = 0; i < n; i++) {
      if (load<u8>(mask + i)) axpy<f64>(i + 1, -load<f64>(at<f64>(row, i)) / pivot, row, at<f64>(C, i * n));
    }
  }
  for (let j = 0; j < n; j++) if (!load<u8>(mask + j)) store<f64>(at<f64>(w, j), 0);
  return steps;
}

/** The weight whose removal costs least among those that may go, or −1. Weights that are gone are skipped, ties go to the lower index. */
// @ts-ignore: decorator
@inline
function cheapest(n: i32, group: i32, most: i32, w: usize, C: usize, mask: usize): i32 {
  let best = -1;
  let lowest: f64 = Infinity;
  let gone = 0;
  for (let k = 0; k < n; k++) {
    if (group > 0 && k % group == 0) {
      gone = 0;
      const end = min(k + group, n);
      for (let j = k; j < end; j++) gone += load<u8>(mask + j) ? 0 : 1;
    }
    if (!load<u8>(mask + k) || (group > 0 && gone >= most)) continue;
    const value = load<f64>(at<f64>(w, k));
    const cost = (value * value) / load<f64>(at<f64>(C, k * n + k));
    if (cost < lowest) {
      lowest = cost;
      best = k;
    }
  }
  return best;
}
