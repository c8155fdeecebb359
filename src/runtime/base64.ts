interface Decoders {
  readonly Uint8Array: { fromBase64?(text: string): Uint8Array };
  readonly Buffer?: { from(text: string, encoding: 'base64'): Uint8Array };
}

/** The bytes of a base64 text: by the engine or Node's Buffer where there is one (ten times as fast), else by `atob`. */
export function fromBase64(text: string): Uint8Array {
  const { Uint8Array: bytesOf, Buffer: buffer } = globalThis as unknown as Decoders;
  if (bytesOf.fromBase64) return bytesOf.fromBase64(text);
  if (buffer) return buffer.from(text, 'base64');
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
