declare module '#wasm/simd.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
