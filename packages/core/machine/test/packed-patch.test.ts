import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import { type Patch, parsePatch } from '@deltabase/delta';
import fc from 'fast-check';
import { ByteReader } from '../src/byte-reader.js';
import { ByteWriter } from '../src/byte-writer.js';
import {
  COMMITTED,
  packPatch,
  skipPatch,
  unpackOperations,
  unpackPatch,
} from '../src/packed-patch.js';
import { bytes, patches } from './records.js';

function packed(patch: string | Uint8Array): Buffer {
  const writer = new ByteWriter(8);
  packPatch(writer, typeof patch === 'string' ? Buffer.from(patch) : patch);
  return Buffer.from(writer.slice(0, writer.at));
}

function readerOf(stored: Uint8Array): ByteReader {
  const reader = new ByteReader();
  reader.begin(stored, 0, stored.length);
  return reader;
}

function unpacked(stored: Uint8Array): Buffer {
  const reader = readerOf(stored);
  const patch = unpackPatch(reader);
  reader.finish();
  return Buffer.from(patch);
}

const hex = (text: string): string => Buffer.from(text).toString('hex');

const PACKED: ReadonlyArray<readonly [patch: string, stored: string]> = [
  ['[]', ''],
  [
    '[{"op":"add","path":"/a","value":{"b":[1,"]}"]}}]',
    `0102${hex('/a')}0e${hex('{"b":[1,"]}"]}')}`,
  ],
  ['[{"op":"remove","path":"/a"}]', `0202${hex('/a')}`],
  ['[{"op":"replace","path":"","value":"\\"}"}]', `0300${'05'}${hex('"\\"}"')}`],
  ['[{"from":"/a","op":"move","path":"/b"}]', `0402${hex('/a')}02${hex('/b')}`],
  ['[{"from":"/a\\"","op":"copy","path":"/b"}]', `0504${hex('/a\\"')}02${hex('/b')}`],
  ['[{"op":"test","path":"/a","value":null}]', `0602${hex('/a')}04${hex('null')}`],
  [
    '[{"op":"remove","path":"/a"},{"op":"add","path":"/b","value":1}]',
    `0202${hex('/a')}0102${hex('/b')}01${hex('1')}`,
  ],
];

for (const [patch, stored] of PACKED) {
  test(`of ${patch} what is not in every patch is kept`, () => {
    assert.equal(packed(patch).toString('hex'), `${stored}00`);
    assert.equal(unpacked(packed(patch)).toString(), patch);
  });
}

test('a patch of another form is kept as it is', () => {
  const others = [
    ...[
      '',
      '[',
      '{}',
      '[1]',
      '[]]',
      '[ ]',
      '[{}]',
      '[{"op":"add"}]',
      '[{"path":"/a","op":"remove"}]',
    ],
    ...[
      '[{"op":"add","path":"/a","value":1]',
      '[{"op":"add","path":"/a","value":1},]',
      '[{"op":"add","path":"/a',
    ],
    ...[
      '[{"op":"add","path":"/a","value":1}] ',
      '[{"op":"move","from":"/a","path":"/b"}]',
      '[{"from":"/a","op":"mov',
    ],
    ...[
      '[{"op":"add","path":"/a","value":1}',
      '[{"op":"remove","path":"/a"}}',
      '[{"op":"remove","path":"/a\\"}]',
    ],
  ];
  for (const patch of others) {
    assert.equal(packed(patch)[0], 7, patch);
    assert.equal(unpacked(packed(patch)).toString(), patch);
  }
});

test('every patch comes back byte for byte, and is gone over where nobody looks', () => {
  const any = fc.oneof(patches, bytes(3000));
  fc.assert(
    fc.property(any, fc.nat(), fc.nat(255), (patch, at, byte) => {
      const changed = Uint8Array.from(patch);
      if (changed.length > 0) changed[at % changed.length] = byte;
      for (const each of [patch, changed]) {
        const stored = packed(each);
        assert.deepEqual(unpacked(stored), Buffer.from(each));
        const reader = readerOf(stored);
        skipPatch(reader);
        reader.finish();
      }
    }),
  );
});

test('patches of leaders are packed', () => {
  fc.assert(
    fc.property(patches, (patch) => {
      assert.notEqual(packed(patch)[0], 7, Buffer.from(patch).toString());
      assert.deepEqual(operationsIn(packed(patch)), parsePatch(patch));
    }),
  );
});

test('small patches come out behind a large one', () => {
  const large = `[{"op":"add","path":"/a","value":"${'x'.repeat(300_000)}"}]`;
  for (const patch of [large, '[]', large, '[{"op":"remove","path":""}]']) {
    assert.deepEqual(operationsIn(packed(patch)), parsePatch(patch));
    assert.equal(unpacked(packed(patch)).toString(), patch);
  }
});

test('what is no packed patch is damage (DATA_CORRUPT)', () => {
  const corrupt = { code: 'DATA_CORRUPT' };
  const whole = packed('[{"op":"add","path":"/a","value":1}]');
  for (let end = 0; end < whole.length; end++) {
    assert.throws(() => unpacked(whole.subarray(0, end)), corrupt);
    assert.throws(() => skipPatch(readerOf(whole.subarray(0, end))), corrupt);
  }
  for (const code of [7, 8, 255]) {
    assert.throws(() => unpacked(Uint8Array.of(1, 0, 0, code, 0, 0)), corrupt, `${code}`);
  }
  assert.throws(() => unpacked(Uint8Array.of(7, 0, 1, 0)), corrupt);
  for (const pointer of ['/a"', '/\n', '/a\\', 'a', '/\\ud800']) {
    const bytes = Buffer.from(pointer);
    const stored = Buffer.from([2, bytes.length, ...bytes, 0]);
    assert.throws(() => operationsIn(stored), corrupt, pointer);
  }
  assert.throws(() => operationsIn(Buffer.from([9, 0, 0])), corrupt);
  for (const stored of [
    [8, 0, 0],
    [7, 0, 1],
    [1, 0, 0, 7, 0, 0],
  ]) {
    assert.throws(() => skipPatch(readerOf(Uint8Array.from(stored))), corrupt, `${stored}`);
  }
});

test('operations are those of the text, whether it is packed or not, and damage where it is no patch', () => {
  const wholes = [
    ' []',
    '[{"op":"add","path":"/a","value":[1] }]',
    '[{"op":"add","path":"/a","value":1,"x":2}]',
    '[{"op":"test","path":"/a","value":{"b":1},"comment":"hi"}]',
    `[{"op":"add","path":"/a","value":${'['.repeat(500)}${']'.repeat(500)}}]`,
    `[{"path":"/a","op":"add","value":${'['.repeat(500)}${']'.repeat(500)}}]`,
    '[{"path":"","op":"remove"}]',
    '',
    '[1]',
  ];
  const any = fc.oneof(
    patches,
    fc.constantFrom(...wholes).map((text) => Buffer.from(text)),
    bytes(60),
  );
  fc.assert(
    fc.property(any, fc.nat(), fc.nat(255), (patch, at, byte) => {
      const changed = Uint8Array.from(patch);
      if (changed.length > 0) changed[at % changed.length] = byte;
      for (const each of [patch, changed]) {
        const text = outcome(() => parsePatch(each, COMMITTED));
        const operations = outcome(() => operationsIn(packed(each)));
        if (!(text instanceof DeltabaseError)) assert.deepEqual(operations, text);
        else if (operations instanceof DeltabaseError)
          assert.equal(operations.code, 'DATA_CORRUPT');
        else assert.fail(`${Buffer.from(each)} is no patch`);
      }
    }),
    { numRuns: 3000 },
  );
});

function operationsIn(stored: Uint8Array): Patch {
  const reader = readerOf(stored);
  const operations = unpackOperations(reader);
  reader.finish();
  return operations;
}

function outcome<T>(run: () => T): T | DeltabaseError {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof DeltabaseError) return thrown;
    throw thrown;
  }
}
