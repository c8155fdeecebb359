// Browsers and edge runtimes: afterpass names no ONNX Runtime there, so that bundlers need not find one; the caller passes it.
import { RuntimeLoadError } from '../core/errors.js';
import type { LoadedOrt } from './ort-types.js';

/** @throws {RuntimeLoadError} always: only Node can look for an ONNX Runtime by itself */
export async function findOrt(): Promise<LoadedOrt> {
  throw new RuntimeLoadError(
    "ort: expected an ONNX Runtime from the caller, got none; import * as ort from 'onnxruntime-web' and pass { ort } to OnnxModel.open",
  );
}
