// The answers that are read by hand, against those that proto-loader makes of the protos.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeGetMany } from '../src/transport/grpc/get-many-codec.js';
import { GET_MANY } from '../src/transport/grpc/protos.js';

const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const count = fc.oneof(fc.nat(200), fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32, 2 ** 53 - 1));
const PLAIN = { noNullPrototype: true } as const;

const value = fc.record({
  seq: count,
  hash: text,
  value: fc.uint8Array({ maxLength: 300, size: 'max' }).map((bytes) => Buffer.from(bytes)),
  stalenessMs: fc.option(count, { nil: undefined }),
  copies: fc.array(text, { maxLength: 3 }),
});
const error = fc.record(
  { code: text, message: text, details: fc.dictionary(text, text, PLAIN) },
  PLAIN,
);
const answer = fc.oneof(
  fc.record({ number: count, value }, PLAIN),
  fc.record({ number: count, error }, PLAIN),
);

test('answers are read as the generic codec writes them', () => {
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 5 }), (values) => {
      // Both ends speak the same protos: what nodes send is what the loader makes of it.
      const read = decodeGetMany(responseOf({ values }));
      assert.deepEqual(read.map(plain), values.map(plain));
    }),
    { numRuns: 300 },
  );
});

test('what is no answer is refused', () => {
  assert.throws(() => decodeGetMany(Uint8Array.of(0x0a, 9, 1)), { code: 'INVALID_ARGUMENT' });
});

function responseOf(response: object): Buffer {
  return GET_MANY.responseSerialize(response);
}

// biome-ignore lint/suspicious/noExplicitAny: what was read, and what was written.
function plain({ number, value: given, error: why }: any): unknown[] {
  if (given == null) return [number, why.code, why.message, { ...why.details }];
  const { seq, hash, value: bytes, stalenessMs, copies } = given;
  return [number, seq, hash, Buffer.from(bytes).toString('hex'), stalenessMs, copies];
}
