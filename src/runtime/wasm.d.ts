declare module '#wasm/*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
