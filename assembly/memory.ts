/** First address free for the host's arena: everything below belongs to the module's static data. */
export function heapBase(): usize {
  return __heap_base;
}
