// The codecs of the message stream against those that proto-loader makes of the protos.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeFrame } from '../src/transport/grpc/frame-decoder.js';
import { FrameEncoder } from '../src/transport/grpc/frame-encoder.js';
import { SEND_STREAM } from '../src/transport/grpc/protos.js';
import type { WireError } from '../src/transport/wire.js';

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ minLength: 100, maxLength: 300 }),
  fc.nat(200).map((length) => 'é'.repeat(length)),
);
const count = fc.oneof(
  fc.nat(200),
  fc.maxSafeNat(),
  fc.constantFrom(0, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
);
const PLAIN = { noNullPrototype: true } as const;
const session = fc.record(
  { name: text, openedAtMs: count, settled: count, expiresAtMs: count },
  PLAIN,
);
const message = fc.record(
  {
    space: text,
    key: text,
    channel: text,
    payload: text,
    number: count,
    after: count,
    retried: fc.boolean(),
  },
  PLAIN,
);

test('a frame that is written by hand reads the same by the protos', () => {
  const encoder = new FrameEncoder();
  fc.assert(
    fc.property(
      fc.option(session, { nil: undefined }),
      fc.array(message, { maxLength: 20 }),
      fc.nat(1_000_000),
      (announced, messages, timeoutMs) => {
        const read = SEND_STREAM.requestDeserialize(encoder.encode(announced, messages, timeoutMs));
        assert.deepEqual(plain(read), {
          session: announced ?? null,
          messages: messages.map((one) => ({
            ...one,
            payload: Buffer.from(one.payload).toString('hex'),
          })),
          timeoutMs,
        });
      },
    ),
  );
});

test('the scratch space of an encoder grows to a large frame and is used again', () => {
  const encoder = new FrameEncoder();
  const large = {
    space: 's',
    key: 'k',
    channel: 'c',
    payload: '"é'.repeat(90_000),
    after: 0,
    retried: false,
  };
  for (const number of [1, 2]) {
    const bytes = encoder.encode(undefined, [{ ...large, number }], 5);
    const read = SEND_STREAM.requestDeserialize(bytes) as { messages: { payload: Buffer }[] };
    assert.equal(read.messages[0]!.payload.toString(), large.payload);
  }
});

const error: fc.Arbitrary<WireError> = fc.record(
  {
    code: text,
    message: text,
    details: fc.dictionary(
      text.filter((name) => name !== '__proto__'),
      text,
      { maxKeys: 4, noNullPrototype: true },
    ),
  },
  PLAIN,
);
const result = fc.oneof(
  fc.record({ number: count, seq: count, reply: fc.option(text, { nil: undefined }) }, PLAIN),
  fc.record({ number: count, error }, PLAIN),
);
const route = fc.record({ group: fc.nat(5000), node: fc.nat(70_000), address: text }, PLAIN);

test('a response by the protos is told in order: groups, routes, results, the end', () => {
  fc.assert(
    fc.property(
      fc.array(result, { maxLength: 10 }),
      fc.array(route, { maxLength: 5 }),
      fc.nat(4096),
      (results, routes, groups) => {
        const response = {
          results: results.map((one) =>
            'reply' in one && one.reply !== undefined
              ? { ...one, reply: Buffer.from(one.reply) }
              : one,
          ),
          routes,
          groups,
        };
        const expected = [
          ...(groups > 0 ? [['opened', groups]] : []),
          ...routes.map((one) => ['route', one.group, one.node, one.address]),
          ...results.map((one) =>
            'error' in one
              ? ['failed', one.number, one.error]
              : ['accepted', one.number, one.seq, one.reply],
          ),
          ['received'],
        ];
        assert.deepEqual(told(SEND_STREAM.responseSerialize(response)), expected);
      },
    ),
  );
});

test('unknown fields of a later release are passed over', () => {
  const known = SEND_STREAM.responseSerialize({ results: [{ number: 6, seq: 3 }] });
  const unknown = Buffer.from([
    0x78, 0x80, 0x01, 0x7d, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7a, 1, 9,
  ]);
  assert.deepEqual(told(Buffer.concat([unknown, known])), [
    ['accepted', 6, 3, undefined],
    ['received'],
  ]);
});

test('bytes that are no frame are an INTERNAL error, whatever they are', () => {
  for (const bytes of ['0a', '0a05', '0a0208', '0b', 'ffffffffffffffffffffffff']) {
    assert.throws(() => told(Buffer.from(bytes, 'hex')), { code: 'INTERNAL' }, bytes);
  }
});

function told(bytes: Buffer): unknown[] {
  const events: unknown[] = [];
  decodeFrame(bytes, {
    opened: (...all) => events.push(['opened', ...all]),
    route: (...all) => events.push(['route', ...all]),
    accepted: (...all) => events.push(['accepted', ...all]),
    failed: (...all) => events.push(['failed', ...all]),
    received: () => events.push(['received']),
  });
  return events;
}

/** Bytes as text, so that they compare. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_name, field) =>
      field?.type === 'Buffer' ? Buffer.from(field.data).toString('hex') : field,
    ),
  );
}
