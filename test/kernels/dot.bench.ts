import { bench, randomF32 } from '../../src/bench/case.js';
import { dot } from '../../src/kernels/dot.js';

export default bench('dot', {
  sizes: [[4096], [65536], [4194304]],
  axes: ['n'],
  flops: ([n = 0]) => 2 * n,
  bytes: ([n = 0]) => 8 * n,
  baseline: 'reference',
  baselines: {
    javascript: ([n = 0]) => {
      const x = randomF32(n, 1);
      const y = randomF32(n, 2);
      return () => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += (x[i] as number) * (y[i] as number);
        return sum;
      };
    },
  },
  setup: (arena, [n = 0]) => {
    const x = arena.put(randomF32(n, 1));
    const y = arena.put(randomF32(n, 2));
    return () => dot(x, y); // only this is timed
  },
});
