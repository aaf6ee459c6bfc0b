// The frames that are read and written by hand, against the loader's generic code and the protos.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '@deltabase/engine';
import fc from 'fast-check';
import { GetManyWriter, getManyReader } from '../../src/wire/get-many-codec.js';
import { codecOf, type Loose } from '../support/test-client.js';

const decodeGetMany = getManyReader(10);
const requests = codecOf('deltabase.v1.GetManyRequest');
const responses = codecOf('deltabase.v1.GetManyResponse');

const text = fc.string({ unit: 'grapheme', maxLength: 150, size: 'max' });
const count = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32, 2 ** 53 - 1));
const bytes = fc.uint8Array({ maxLength: 300, size: 'max' });
const PLAIN = { noNullPrototype: true } as const;

const get = fc.record(
  {
    space: text,
    key: text,
    pointer: text,
    mode: fc.nat(3),
    atLeastSeq: count,
    atSeq: fc.option(count, { nil: undefined }),
    withinMs: fc.option(count, { nil: undefined }),
  },
  PLAIN,
);
const numbered = fc.record({ number: count, get, timeoutMs: count }, PLAIN);

test('a frame is read as the proto says', () => {
  fc.assert(
    fc.property(
      fc.array(numbered, { maxLength: 5 }),
      fc.array(count, { maxLength: 5 }),
      (gets, cancels) => {
        assert.deepEqual(decodeGetMany(requests.encode({ gets, cancels })), { gets, cancels });
      },
    ),
    { numRuns: 300 },
  );
});

test('a read that says nothing is told apart from one of nothing', () => {
  const first = (get: Loose) => decodeGetMany(requests.encode({ gets: [get] })).gets[0]!;
  assert.equal(first({ number: 3 }).get, undefined);
  assert.equal(first({ number: 3, get: {} }).get?.key, '');
});

test('what is no frame is refused', () => {
  assert.throws(() => decodeGetMany(Uint8Array.of(0x0a, 9, 1)), { code: 'INVALID_ARGUMENT' });
});

test('more reads than may be, given up or not, are refused before they are made', () => {
  const gets = Buffer.alloc(4 * 2 ** 20);
  for (let at = 0; at < gets.length; at += 2) gets[at] = 0x0a;
  const packed = Buffer.alloc(2 ** 20, 1);
  packed.set([0x12, 0xfc, 0xff, 0x3f]);
  for (const many of [gets, packed]) {
    const before = process.memoryUsage().heapUsed;
    assert.throws(() => decodeGetMany(many), { code: 'INVALID_ARGUMENT', message: /more than 10/ });
    assert.ok(process.memoryUsage().heapUsed - before < 2 ** 20);
  }
});

test('answers are written as the proto reads them, many in a response', () => {
  const values = fc.record({
    number: count,
    value: fc.record({ seq: count, hash: text, value: bytes }),
    stalenessMs: fc.option(fc.nat(100_000), { nil: undefined }),
    copies: fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 3 }),
  });
  const writer = new GetManyWriter();
  fc.assert(
    fc.property(fc.array(values, { maxLength: 5 }), (answers) => {
      for (const { number, value, stalenessMs, copies } of answers) {
        // What is measured is no whole number.
        const exact = stalenessMs === undefined ? undefined : Math.max(0, stalenessMs - 0.25);
        writer.value(number, { kind: 'value', ...value, stalenessMs: exact }, copies);
      }
      const read = responses.decode(writer.finish());
      assert.deepEqual(
        read.values.map(({ number, value, error }: Loose) => [
          ...[number, value.seq, value.hash, [...value.value], value.copies, error],
          value.stalenessMs,
        ]),
        answers.map(({ number, value, stalenessMs, copies }) => [
          ...[number, value.seq, value.hash, [...value.value], copies, null],
          stalenessMs,
        ]),
      );
      assert.equal(writer.length, 0);
    }),
    { numRuns: 300 },
  );
});

test('a failure keeps its code, message and details', () => {
  const writer = new GetManyWriter();
  writer.failed(7, failure('OUTPUT_TOO_LARGE', 'too large', { bytes: 5 }));
  const [{ number, value, error }] = responses.decode(writer.finish()).values;
  assert.deepEqual([number, value], [7, null]);
  const { code, message, details } = error;
  assert.deepEqual(
    [code, message, { ...details }],
    ['OUTPUT_TOO_LARGE', 'too large', { bytes: '5' }],
  );
});
