/** x²: one multiplication. The operator `**` and Math.pow may differ from it, and between engines, in the last bit. */
export function square(x: number): number {
  return x * x;
}
