import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readLines, readModule, readPayload } from '../src/input.js';
import { type TestIo, testIo } from './support/test-io.js';

const MIB = 1024 * 1024;

async function linesOf(io: TestIo, argument?: string): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const { number, value } of readLines(argument, io)) lines.push([number, value]);
  return lines;
}

async function withFile<T>(content: string | Uint8Array, use: (path: string) => Promise<T>) {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-cli-'));
  try {
    const path = join(folder, 'input');
    await writeFile(path, content);
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function invalid(message: RegExp): { code: string; message: RegExp } {
  return { code: 'INVALID_ARGUMENT', message };
}

test('a payload is JSON itself, standard input, or a file', async () => {
  assert.equal(await readPayload(undefined, testIo()), undefined);
  assert.deepEqual(await readPayload('{"by": 2}', testIo()), { by: 2 });
  assert.equal(await readPayload('-5', testIo()), -5);
  assert.deepEqual(await readPayload('-', testIo({ stdin: ['[1,', '2]\n'] })), [1, 2]);
  await withFile('\ufeff"ä"', async (path) =>
    assert.equal(await readPayload(`@${path}`, testIo()), 'ä'),
  );
});

test('a payload that is no JSON, no UTF-8 or too large is refused, saying where', async () => {
  await assert.rejects(
    readPayload('{"by":', testIo()),
    invalid(/^the payload is not JSON .*quote/),
  );
  await assert.rejects(readPayload('', testIo()), invalid(/^the payload is not JSON/));
  await assert.rejects(readPayload('-', testIo()), invalid(/^standard input is not JSON/));
  const bytes = new Uint8Array([0x22, 0xff, 0x22]);
  await assert.rejects(readPayload('-', testIo({ stdin: [bytes] })), invalid(/input is not UTF-8/));
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(MIB);
  }
  const stdin = Readable.from(endless());
  await assert.rejects(readPayload('-', testIo({ stdin })), invalid(/more than 4194304 bytes/));
});

test('a payload that nodes would refuse is refused, not mended', async () => {
  for (const [text, why] of [
    ['{"by": 1, "by": 2}', /^the payload: an object repeats a name/],
    ['{"by": 1e400}', /^the payload: a number is beyond those of doubles/],
    ['["\\ud800"]', /^the payload: a string holds a lone surrogate/],
    ['['.repeat(100_000), /^the payload: the JSON is nested deeper than 1000/],
  ] as const) {
    await assert.rejects(readPayload(text, testIo()), invalid(why));
  }
  const inOrder = '{"z":1,"a":[0.5,null],"__proto__":true}';
  assert.equal(JSON.stringify(await readPayload(inOrder, testIo())), inOrder);
});

test('a file that cannot be read is refused by name', async () => {
  const missing = join(tmpdir(), 'deltabase-none', 'x.json');
  await assert.rejects(
    readPayload(`@${missing}`, testIo()),
    invalid(/cannot read .*x\.json: ENOENT/),
  );
  await assert.rejects(readModule(missing, testIo()), invalid(/cannot read .*x\.json: ENOENT/));
  await assert.rejects(linesOf(testIo(), `@${tmpdir()}`), invalid(/cannot read .*: EISDIR/));
});

test('a module is a file or standard input, byte for byte', async () => {
  const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 0xff, 0x0a]);
  await withFile(bytes, async (path) => {
    assert.deepEqual(new Uint8Array(await readModule(path, testIo())), bytes);
  });
  const stdin = [bytes.subarray(0, 2), bytes.subarray(2)];
  assert.deepEqual(new Uint8Array(await readModule('-', testIo({ stdin }))), bytes);
});

test('lines are numbered as an editor does, empty ones left out', async () => {
  const stdin = ['1\n\n  \n{"a"', ':2}\r\n"\u2028"'];
  const expected = [
    [1, 1],
    [4, { a: 2 }],
    [5, '\u2028'],
  ];
  assert.deepEqual(await linesOf(testIo({ stdin })), expected);
  assert.deepEqual(await linesOf(testIo({ stdin }), '-'), expected);
  await withFile('1\n2', async (path) => {
    assert.deepEqual(await linesOf(testIo(), `@${path}`), [
      [1, 1],
      [2, 2],
    ]);
  });
});

test('lines that cannot be are refused by number', async () => {
  const of = (...stdin: (string | Uint8Array)[]) => linesOf(testIo({ stdin }));
  await assert.rejects(of('1\n2\nx\n'), invalid(/^line 3 is not JSON/));
  await assert.rejects(of('1\n', new Uint8Array([0xff]), '\n'), invalid(/^line 2 is not UTF-8/));
  await assert.rejects(of('1\n', 'x'.repeat(5 * MIB)), invalid(/^line 2 is longer than 4194304/));
  await assert.rejects(linesOf(testIo(), '{"by":1}'), invalid(/from - or @file/));
});

test('input that does not come is not waited for once the command is to end', async () => {
  const io = testIo({ stdin: new Readable({ read() {} }) });
  const payload = readPayload('-', io);
  const lines = linesOf(io);
  io.interrupt('SIGINT');
  await assert.rejects(payload, { code: 'CANCELLED' });
  await assert.rejects(lines, { code: 'CANCELLED' });
});
