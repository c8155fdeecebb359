// A model written out in the operators that have rules of their own: composites, functions and control flow are gone.
import { Builder } from './builder.js';
import { finish } from './finish.js';
import type { Model } from './graph.js';
import { importModel } from './import.js';

/**
 * The same function in plain ai.onnx operators: fused operators, model-local functions, branches and loops written out.
 * @throws {GraphError} listing every operator without a rule
 */
export function standardModel(model: Model): Model {
  const b = new Builder();
  const names = importModel(b, model, { parameters: new Set(model.graph.initializers.keys()) });
  for (const { name } of model.graph.outputs) b.output(names.get(name)!, name);
  return finish(b, model);
}
