// The frames that are read and written by hand, against the loader's generic code and the protos.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '@deltabase/engine';
import fc from 'fast-check';
import { SendFrameReader, SendResponseWriter } from '../../src/wire/send-stream-codec.js';
import { codecOf, type Loose } from '../support/test-client.js';

const requests = codecOf('deltabase.v1.SendStreamRequest');
const responses = codecOf('deltabase.v1.SendStreamResponse');

const text = fc.string({ unit: 'grapheme', maxLength: 150, size: 'max' });
const count = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32, 2 ** 53 - 1));
/** Lengths that take one byte to write, and two. */
const bytes = fc.uint8Array({ maxLength: 300, size: 'max' });

const options = { noNullPrototype: true };
const message = fc.record({
  space: fc.oneof(fc.constantFrom('', 'list', 'lisp'), text),
  key: text,
  channel: fc.oneof(fc.constantFrom('', 'push', 'pull'), text),
  payload: bytes,
  number: count,
  after: count,
  retried: fc.boolean(),
});
const times = { openedAtMs: count, expiresAtMs: count };
const session = fc.record({ name: text, settled: count, ...times }, options);
const request = fc.record({
  session: fc.option(session),
  messages: fc.array(message, { maxLength: 5 }),
  timeoutMs: fc.nat(2 ** 32 - 1),
});

/** A message that can be compared, whatever made it. */
function plain({ payload, ...rest }: Loose): object {
  return { ...rest, payload: Buffer.from(payload).toString('hex') };
}

test('a frame is read as the proto says, also by a reader that has read others', () => {
  const reader = new SendFrameReader(100);
  fc.assert(
    fc.property(request, (sent) => {
      const frame = reader.read(requests.encode(sent));
      assert.deepEqual(frame.messages.map(plain), sent.messages.map(plain));
      assert.deepEqual(frame.session, sent.session ?? undefined);
      assert.equal(frame.timeoutMs, sent.timeoutMs);
    }),
    { numRuns: 500 },
  );
});

test('fields of later versions are skipped, of every wire type', () => {
  const later = [
    [0x98, 0x06, 0x96, 0x01], // Field 99: varint,
    [0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8], // fixed64,
    [0x9a, 0x06, 2, 0xff, 0xfe], // length-delimited,
    [0x9d, 0x06, 1, 2, 3, 4], // fixed32.
  ].flat();
  const one = { space: 'list', key: 'a', channel: 'push', payload: Buffer.from('1') };
  const inside = codecOf('deltabase.v1.Message').encode(one);
  const nested = [0x12, inside.length + later.length, ...inside, ...later];
  const frame = new SendFrameReader(10).read(Uint8Array.from([...later, ...nested, ...later]));
  assert.deepEqual(frame.messages.map(plain), [
    plain({ ...one, number: 0, after: 0, retried: false }),
  ]);
});

test('what is no frame is INVALID_ARGUMENT, with what is wrong', () => {
  const bad: [number[], RegExp][] = [
    [[0x12], /a number is cut off/],
    [[0x12, 5, 1], /a field is cut off/],
    [[0x12, 3, 0x0a, 9, 1], /a field is cut off/],
    [[0x12, 4, 0x0a, 2, 0xc3, 0x28], /a string is not UTF-8/],
    [[0x18, ...Array(10).fill(0x80), 1], /a number is too long/],
    [[0x0b], /wire type 3 is not known/],
  ];
  for (const [frame, reason] of bad) {
    const read = (): unknown => new SendFrameReader(10).read(Uint8Array.from(frame));
    assert.throws(read, { code: 'INVALID_ARGUMENT', message: reason }, String(reason));
  }
});

const result: fc.Arbitrary<Result> = fc.oneof(
  fc.record({
    kind: fc.constant('accepted' as const),
    seq: count,
    reply: fc.option(bytes, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('failed' as const),
    code: fc.constantFrom('REJECTED' as const, 'OVERLOADED' as const),
    message: fc.oneof(text, fc.constant('\ud800 alone')),
    details: fc.dictionary(text, fc.oneof(fc.nat(), fc.boolean(), text), { noNullPrototype: true }),
  }),
);
const route = fc.record({ group: fc.nat(4096), node: fc.nat(65_535), address: text }, options);

/** What a client is to see of a result. */
function seen(number: number, given: Result): Loose {
  if (given.kind === 'accepted') {
    const { seq, reply } = given;
    return { number, seq, error: null, reply: reply && Buffer.from(reply).toString('hex') };
  }
  const details = Object.fromEntries(
    Object.entries(given.details).map(([name, value]) => [name, String(value)]),
  );
  const error = { code: given.code, message: given.message.toWellFormed(), details };
  return { number, seq: 0, error, reply: undefined };
}

test('responses say in the proto what was put into them, one after the other', () => {
  const writer = new SendResponseWriter();
  const response = fc.record({
    results: fc.array(fc.tuple(count, result), { maxLength: 6 }),
    routes: fc.array(route, { maxLength: 4 }),
    groups: fc.nat(4096),
  });
  fc.assert(
    fc.property(response, ({ results, routes, groups }) => {
      for (const each of routes) writer.route(each);
      for (const [number, given] of results) writer.result(number, given);
      writer.groups(groups);
      const { length } = writer;
      const written = writer.finish();
      assert.deepEqual([written.length, writer.length], [length, 0]);
      const read = responses.decode(written);
      assert.deepEqual(
        read.results.map((each: Loose) => ({
          number: each.number,
          seq: each.seq,
          error: each.error,
          reply: each.reply?.toString('hex') || undefined,
        })),
        results.map(([number, given]) => seen(number, given)).map(withoutEmptyReply),
      );
      assert.deepEqual(read.routes, routes);
      assert.equal(read.groups, groups);
    }),
    { numRuns: 500 },
  );
});

/** The loader gives an empty reply and none alike. */
function withoutEmptyReply(each: Loose): Loose {
  return each.reply === '' ? { ...each, reply: undefined } : each;
}
