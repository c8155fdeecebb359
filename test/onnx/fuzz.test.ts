// Random small graphs over the operators with rules. AFTERPASS_FUZZ=first:count runs others than the fixed ones.
import { checkGraph, type Made, makeGraph, textOf, unfit } from '../helpers/graph-checks.js';

const [first, count] = (process.env.AFTERPASS_FUZZ ?? '0:36').split(':').map(Number) as [number, number];

test('gradients, Jacobian and Hessian products of random graphs agree with differences', async () => {
  const verdicts = new Map<string, number>();
  const failures: string[] = [];
  const note = (key: string): void => void verdicts.set(key, (verdicts.get(key) ?? 0) + 1);
  for (let seed = first; seed < first + count; seed++) {
    let made: Made | undefined;
    try {
      made = makeGraph(seed);
    } catch (error) {
      failures.push(`seed ${seed} not made: ${(error as Error).stack?.slice(0, 1500)}`);
    }
    if (!made) {
      note('nothing');
      continue;
    }
    try {
      const { verdict, why } = await checkGraph(made);
      note(why === undefined ? verdict : `${verdict}: ${why} (${seed})`);
    } catch (error) {
      note('FAILED');
      failures.push(`seed ${seed}: ${(error as Error).stack?.slice(0, 1500)}\n${textOf(made)}`);
    }
  }
  if (process.env.AFTERPASS_FUZZ) console.log([...verdicts, ['--', 0], ...unfit].map(([k, v]) => `${v} ${k}`).join('\n'));
  expect(failures.join('\n\n')).toBe('');
  expect(verdicts.get('agrees')).toBeGreaterThan(0.8 * count);
}, 3_000_000);
