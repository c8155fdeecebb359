// Cold start in a new process: import of one area and its first result, split into what it is made of. Runs in every runtime.

/** Milliseconds of each part; `load` imports the area. */
export async function coldStart(load) {
  const spent = { decode: 0, compile: 0, instantiate: 0 };
  const timed = (part, work) => {
    const start = performance.now();
    try {
      return work();
    } finally {
      spent[part] += performance.now() - start;
    }
  };
  const construct = (part) => ({ construct: (Target, args) => timed(part, () => new Target(...args)) });
  WebAssembly.Module = new Proxy(WebAssembly.Module, construct('compile'));
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, construct('instantiate'));
  const decoder = (holder, name) => {
    const native = holder?.[name];
    if (native) holder[name] = (...args) => timed('decode', () => native.apply(holder, args));
  };
  decoder(globalThis.Buffer, 'from');
  decoder(Uint8Array, 'fromBase64');
  decoder(globalThis, 'atob');

  const start = performance.now();
  const { sinkhorn } = await load();
  const loaded = performance.now();
  const solve = () => sinkhorn({ cost: Float64Array.of(0, 1, 1, 0) }, { epsilon: 0.5 });
  solve();
  const first = performance.now();
  const kernels = { ...spent };
  solve();
  const second = performance.now() - first;
  const rest = first - loaded - kernels.decode - kernels.compile - kernels.instantiate;
  return { import: loaded - start, ...kernels, call: rest, total: first - start, second };
}
