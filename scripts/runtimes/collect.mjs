// Runs in every runtime: each example call of each area, its result as plain JSON that tells every bit (NaN payloads aside).

/** A result as JSON: numbers exactly (−0, NaN and infinities as strings), typed arrays with their type, functions left out. */
function plain(value) {
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? undefined : value;
  if (ArrayBuffer.isView(value)) return { type: Object.prototype.toString.call(value).slice(8, -1), data: Array.from(value, plain) };
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry)]));
}

/** `{ 'area/method': { result } | { error, code } }` for the calls of every area. */
export async function collect(areas, calls) {
  const results = {};
  for (const [area, methods] of Object.entries(calls)) {
    for (const [key, call] of Object.entries(methods)) {
      try {
        results[`${area}/${key}`] = { result: plain(await call(areas[area])) };
      } catch (error) {
        results[`${area}/${key}`] = { error: String(error?.message ?? error), code: error?.code };
      }
    }
  }
  return results;
}
