// The part of the ONNX Runtime API that afterpass uses; onnxruntime-node, onnxruntime-web and onnxruntime-react-native all have it.

/** A tensor of ONNX Runtime. */
export interface OrtTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
  dispose?(): void;
}

/** A loaded model of ONNX Runtime. */
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>;
  release?(): Promise<void>;
}

/** An ONNX Runtime module: what `import * as ort from 'onnxruntime-web'` gives. */
export interface Ort {
  readonly Tensor: new (type: any, data: any, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: { create(bytes: Uint8Array, options?: any): Promise<OrtSession> };
  readonly env?: { readonly versions?: Readonly<Record<string, string | undefined>> };
}

/** An ONNX Runtime and where it came from. */
export interface LoadedOrt {
  readonly ort: Ort;
  /** `onnxruntime-node`, `onnxruntime-web`, or `caller` for one given as `{ ort }`. */
  readonly name: string;
  readonly version: string | undefined;
}
