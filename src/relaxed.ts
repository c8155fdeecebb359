/** `import 'afterpass/relaxed'` first: every later kernel call uses the fused multiply-add build (faster, not bit-identical). */
import { compile, decode } from '#load';
import { packed } from '#wasm/relaxed';
import { RuntimeLoadError } from './core/errors.js';
import { use } from './runtime/instance.js';
import { hasRelaxedSimd } from './runtime/probe.js';

if (!hasRelaxedSimd()) {
  throw new RuntimeLoadError("afterpass/relaxed: expected an engine with relaxed SIMD, got one without it; import 'afterpass' alone");
}
use(compile(packed), 'relaxed', () => decode(packed));

export * from './index.js';
