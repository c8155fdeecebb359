// Vectors of either precision: v128 seen as 4 × f32 or 2 × f64. Everything here is inlined.

/** Elements of T in one v128. */
// @ts-ignore: decorator
@inline
export function lanes<T>(): i32 {
  return 16 / sizeof<T>();
}

/** Address of element `index` of an array of T. */
// @ts-ignore: decorator
@inline
export function at<T>(base: usize, index: i32): usize {
  return base + ((<usize>index) << alignof<T>());
}

/** Sum of the lanes. */
// @ts-ignore: decorator
@inline
export function hsum<T>(v: v128): T {
  if (sizeof<T>() == 4) {
    const pair = f32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
    return <T>(f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1));
  }
  return <T>(f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1));
}

/** Largest lane. */
// @ts-ignore: decorator
@inline
export function hmax<T>(v: v128): T {
  if (sizeof<T>() == 4) {
    const pair = f32x4.pmax(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
    const a = f32x4.extract_lane(pair, 0);
    const b = f32x4.extract_lane(pair, 1);
    return <T>(a > b ? a : b);
  }
  const a = f64x2.extract_lane(v, 0);
  const b = f64x2.extract_lane(v, 1);
  return <T>(a > b ? a : b);
}

/** a·b + c: fused in the relaxed build, two roundings in the plain one (so that the plain build is the same everywhere). */
// @ts-ignore: decorator
@inline
export function madd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (sizeof<T>() == 4) return f32x4.relaxed_madd(a, b, c);
    return f64x2.relaxed_madd(a, b, c);
  }
  return v128.add<T>(v128.mul<T>(a, b), c);
}
