import { elementwise, type Rule } from './rule.js';

/** x^p. The derivative in p is taken where x > 0 and is 0 elsewhere (where x^p has no derivative in p, or a constant 0). */
export const Pow: Rule = {
  infer: elementwise(),
  simplify: ({ inputs: [x, p] }, b) => {
    if (b.shape(p!).length > b.shape(x!).length || !b.shape(p!).every((extent) => extent === 1)) return undefined;
    const power = b.splatOf(p!);
    if (power === 1) return [x!];
    if (power === 2) return [b.mul(x!, x!)];
    if (power === 3) return [b.mul(b.mul(x!, x!), x!)];
    if (power === 0.5) return [b.op('Sqrt', [x!])];
    if (power === -1) return [b.op('Reciprocal', [x!])];
    return undefined;
  },
  vjp: (node, [d], b, needs) => {
    const [x, p] = node.inputs as [string, string];
    return [
      needs[0] ? b.unbroadcast(b.mul(d!, slopeInX(node.inputs, b)), b.shape(x)) : undefined,
      needs[1] ? b.unbroadcast(b.mul(d!, slopeInP(node.inputs, node.outputs[0]!, b)), b.shape(p)) : undefined,
    ];
  },
  jvp: (node, [dx, dp], b) => [
    b.sum(dx && b.mul(dx, slopeInX(node.inputs, b)), dp && b.mul(dp, slopeInP(node.inputs, node.outputs[0]!, b))),
  ],
};

type Emitter = Parameters<NonNullable<Rule['vjp']>>[2];

function slopeInX([x, p]: string[], b: Emitter): string {
  const power = b.elementType(p!) === b.elementType(x!) ? p! : b.cast(p!, b.elementType(x!));
  const known = b.splatOf(power);
  const less = known === undefined ? b.sub(power, b.scalar(x!, 1)) : b.scalar(x!, known - 1);
  return b.mul(b.op('Pow', [x!, less]), power);
}

function slopeInP([x]: string[], y: string, b: Emitter): string {
  const positive = b.op('Greater', [x!, b.scalar(x!, 0)]);
  return b.mul(y, b.op('Log', [b.op('Where', [positive, x!, b.scalar(x!, 1)])]));
}
