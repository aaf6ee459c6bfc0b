// A stream of bytes cut into its lines. Lines end with \n or \r\n; only these, for JSON may hold every other
// character that ends a line somewhere (U+2028, say).

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The lines, without their ends. A line of more than `bytesMax` bytes is `undefined`, and the last one. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array | undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); ; end = chunk.indexOf(NEWLINE, start)) {
      const part = chunk.subarray(start, end === -1 ? chunk.length : end);
      parts.push(part);
      bytes += part.length;
      if (bytes > bytesMax) {
        yield undefined;
        return;
      }
      if (end === -1) break;
      yield lineOf(parts);
      parts = [];
      bytes = 0;
      start = end + 1;
    }
  }
  if (bytes > 0) yield lineOf(parts);
}

function lineOf(parts: readonly Uint8Array[]): Uint8Array {
  const line = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line;
}
