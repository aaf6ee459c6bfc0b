import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitLines } from '../src/lines.js';

async function linesOf(
  chunks: readonly string[],
  bytesMax = 1000,
): Promise<(string | undefined)[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: (string | undefined)[] = [];
  for await (const line of splitLines(stream(), bytesMax)) {
    lines.push(line && Buffer.from(line).toString());
  }
  return lines;
}

test('lines end with a newline, with or without a return before it; the last one needs none', async () => {
  assert.deepEqual(await linesOf(['a\nb\r\n\nc']), ['a', 'b', '', 'c']);
  assert.deepEqual(await linesOf(['a\n']), ['a']);
  assert.deepEqual(await linesOf([]), []);
  assert.deepEqual(await linesOf(['\n\n']), ['', '']);
});

test('what ends lines elsewhere does not end them here, for JSON may hold it', async () => {
  assert.deepEqual(await linesOf(['"a\u2028b\u0085c\rd"\n1']), ['"a\u2028b\u0085c\rd"', '1']);
});

test('where the stream is cut makes no difference', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'bc', '\n', '\r\n', 'é', '🙂')),
      fc.array(fc.nat(20)),
      async (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''));
        const places = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))];
        const edges = [0, ...places.sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((end, at) => bytes.subarray(edges[at], end));
        async function* stream(): AsyncGenerator<Uint8Array> {
          yield* chunks;
        }
        const found: string[] = [];
        for await (const line of splitLines(stream(), 1000))
          found.push(Buffer.from(line!).toString());
        const expected = parts.join('').split(/\r?\n/);
        if (expected.at(-1) === '') expected.pop();
        assert.deepEqual(found, expected);
      },
    ),
  );
});

test('a line that is too long ends it, however it comes', async () => {
  assert.deepEqual(await linesOf(['abcd\nabcde\nf'], 4), ['abcd', undefined]);
  assert.deepEqual(await linesOf(['ab', 'cd', 'e', 'f\ng'], 4), [undefined]);
});
