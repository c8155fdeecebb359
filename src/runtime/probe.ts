/** 37 bytes: one function with one f32x4.relaxed_madd. It validates exactly where relaxed SIMD is available. */
const relaxedProbe = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11,
]);

/** True where the engine accepts relaxed SIMD (fused multiply-add). Node 20 needs --experimental-wasm-relaxed-simd. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxedProbe);
}
