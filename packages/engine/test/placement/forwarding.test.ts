import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import type { Links } from '../../src/peers/links.js';
import { decodeForward } from '../../src/placement/forward-codec.js';
import { Forwarding } from '../../src/placement/forwarding.js';
import type { AnswerSink, Result } from '../../src/results.js';
import { sampleMessage } from '../support/samples.js';
import { RecordingSink } from '../support/sink.js';

const ACCEPTED: Result = { kind: 'accepted', seq: 1, reply: undefined };

function setUp(limits: Partial<Limits> = {}, life = 1) {
  const sent: Array<{ to: number; id: number; msLeft: number }> = [];
  const links = {
    sendForward(to: number, list: unknown[]) {
      const { id, msLeft } = decodeForward(list);
      sent.push({ to, id, msLeft });
    },
  } as unknown as Links;
  const touched = new Set<AnswerSink>();
  const all = { ...DEFAULT_LIMITS, ...limits };
  const forwarding = new Forwarding({ links, limits: all, touched, life });
  const sink = new RecordingSink();
  const forward = (tag: number, to = 2, expiresMs = 5000): void =>
    forwarding.forward({ message: sampleMessage(), sink, tag, expiresMs }, to, 1000);
  return { forwarding, forward, sent, sink, touched };
}

test('an answer goes to whoever sent the message, once', () => {
  const { forwarding, forward, sent, sink, touched } = setUp();
  forward(1);
  forward(2);
  forwarding.answered(2, sent[1]!.id, ACCEPTED);
  forwarding.answered(2, sent[1]!.id, ACCEPTED);
  assert.deepEqual(sink.tags, [2]);
  assert.ok(touched.has(sink));
  assert.ok(!forwarding.idle);
});

test('an answer of another node than the one that was asked counts for nothing', () => {
  const { forwarding, forward, sent, sink } = setUp();
  forward(1, 2);
  forwarding.answered(3, sent[0]!.id, ACCEPTED);
  assert.deepEqual(sink.tags, []);
});

test('no answer to a message of an earlier life finds anyone (AckedIsDurable)', () => {
  const earlier = setUp({}, 1);
  const later = setUp({}, 2);
  earlier.forward(1);
  later.forward(1);
  later.forwarding.answered(2, earlier.sent[0]!.id, ACCEPTED);
  assert.deepEqual(later.sink.tags, []);
});

test('nothing waits for ever: a lost peer, a late answer and a stop each end it, outcome unknown', () => {
  const { forwarding, forward, sink, sent } = setUp({ forwardTimeoutMs: 500 });
  forward(1, 2);
  forward(2, 3);
  forward(3, 2, 1100);
  forward(4, 3);
  assert.deepEqual(
    sent.map(({ msLeft }) => msLeft),
    [500, 500, 100, 500],
  );
  forwarding.tick(1099);
  assert.deepEqual(sink.tags, []);
  forwarding.tick(1100);
  assert.deepEqual(sink.tags, [3]);
  forwarding.lost(2);
  assert.deepEqual(sink.tags, [3, 1]);
  forwarding.close();
  assert.deepEqual(sink.tags, [3, 1, 2, 4]);
  for (const { result } of sink.answers) {
    assert.ok(result.kind === 'failed' && result.code === 'UNAVAILABLE');
    assert.equal(result.details['outcomeUnknown'], true);
  }
  assert.ok(forwarding.idle);
});

test('beyond its limit it takes no message and says so', () => {
  const { forward, sink, sent } = setUp({ forwardsMax: 2 });
  for (const tag of [1, 2, 3]) forward(tag);
  assert.equal(sent.length, 2);
  assert.deepEqual(sink.codes, ['OVERLOADED']);
});
