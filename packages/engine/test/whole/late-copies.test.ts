// Copies of a message that arrive late: a node stood still with them while the message was sent again and
// answered. They get the answer that was given (AckedIsDurable), whoever leads by then.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUtf8, encodeUtf8 } from '@deltabase/base';
import type { Result } from '@deltabase/engine';
import { TokenCluster } from '@deltabase/testkit';

interface Copy {
  readonly channel: 'look' | 'refuse';
  readonly number: number;
  readonly settled?: number;
  readonly retried?: boolean;
}

/** Sends one copy of a message to document `a`, to the leader unless told otherwise, and awaits its answer. */
function send(tokens: TokenCluster, copy: Copy, to = tokens.leaderOf('a')): string {
  const { channel, number, settled = 1, retried = false } = copy;
  const got: Result[] = [];
  const sink = { answer: (_tag: number, result: Result) => void got.push(result), flush() {} };
  const session = { name: 'late', openedAt: 1_700_000_000_000, settled };
  const payload = encodeUtf8('{"token":"x"}');
  const rest = { channel, payload, principal: 'tests', session, number, after: 0, retried };
  const message = { space: 'tokens', key: 'a', ...rest };
  const expiresMs = tokens.cluster.simulation.nowMs + 10_000;
  tokens.cluster.engine(to).submit([{ message, sink, tag: 0, expiresMs }]);
  tokens.until(() => got.length > 0);
  const [result] = got;
  if (result!.kind === 'failed') return `${result!.code} ${result!.message}`;
  return `${result!.seq} ${decodeUtf8(result!.reply!)}`;
}

/** What both messages answer depends on how often it was appended to the document. */
function append(tokens: TokenCluster): void {
  tokens.client(`c${tokens.clients.length}`).send('a', 'append');
  tokens.settle();
}

/** Ends the leader of the document's group, and waits for another one. */
function replaceLeader(tokens: TokenCluster): void {
  const before = tokens.leaderOf('a');
  tokens.cluster.crash(before);
  tokens.until(() => tokens.leaderOf('a') !== before);
}

test('the leader answers a late copy of what left no delta as it did before', () => {
  const tokens = new TokenCluster({ seed: 1 }).start();
  // Until it leads that shall.
  tokens.run(5000);
  append(tokens);
  assert.equal(send(tokens, { channel: 'refuse', number: 2 }), 'REJECTED 1');
  assert.equal(send(tokens, { channel: 'look', number: 3 }), '1 1');
  append(tokens);
  tokens.run(20_000);
  assert.equal(send(tokens, { channel: 'refuse', number: 2 }), 'REJECTED 1');
  assert.equal(send(tokens, { channel: 'look', number: 3 }), '1 1');
  assert.equal(send(tokens, { channel: 'look', number: 4 }), '2 2');
  tokens.check();
});

test('what was sent before keeps its answer across leaders and restarts, though it left no delta', () => {
  for (const flushIntervalMs of [10, 1_000_000]) {
    const tokens = new TokenCluster({ seed: 2, limits: { flushIntervalMs } }).start();
    append(tokens);
    assert.equal(send(tokens, { channel: 'refuse', number: 2, retried: true }), 'REJECTED 1');
    assert.equal(send(tokens, { channel: 'look', number: 3, retried: true }), '1 1');
    append(tokens);
    const late = (): void => {
      for (const retried of [false, true]) {
        assert.equal(send(tokens, { channel: 'refuse', number: 2, retried }), 'REJECTED 1');
        assert.equal(send(tokens, { channel: 'look', number: 3, retried }), '1 1');
      }
    };
    replaceLeader(tokens);
    late();
    for (const id of tokens.cluster.ids) if (tokens.cluster.isUp(id)) tokens.cluster.crash(id);
    for (const id of tokens.cluster.ids) tokens.cluster.startNode(id);
    tokens.cluster.awaitLeaders();
    late();
    tokens.check();
  }
});

test('an answer that the leader remembers goes into the log once another copy asks for it', () => {
  const tokens = new TokenCluster({ seed: 3 }).start();
  append(tokens);
  assert.equal(send(tokens, { channel: 'refuse', number: 2 }), 'REJECTED 1');
  append(tokens);
  assert.equal(send(tokens, { channel: 'refuse', number: 2, retried: true }), 'REJECTED 1');
  replaceLeader(tokens);
  assert.equal(send(tokens, { channel: 'refuse', number: 2 }), 'REJECTED 1');
  tokens.check();
});

test('a settled message without a delta is refused, whoever leads', () => {
  const tokens = new TokenCluster({ seed: 4 }).start();
  append(tokens);
  send(tokens, { channel: 'refuse', number: 2, retried: true });
  send(tokens, { channel: 'look', number: 3, settled: 3, retried: true });
  replaceLeader(tokens);
  assert.match(send(tokens, { channel: 'refuse', number: 2 }), /^INVALID_ARGUMENT .*settled/);
  tokens.check();
});

test('messages that are sent once and leave no delta cost the log nothing', () => {
  const tokens = new TokenCluster({ seed: 5 }).start();
  append(tokens);
  const indexOf = (): number => {
    const { groups } = tokens.cluster.engine(tokens.leaderOf('a')).status();
    return groups[tokens.groupOf('a')]!.lastIndex;
  };
  const before = indexOf();
  for (let number = 2; number < 20; number++) send(tokens, { channel: 'look', number });
  assert.equal(indexOf(), before);
  send(tokens, { channel: 'look', number: 20, retried: true });
  assert.equal(indexOf(), before + 1);
  tokens.check();
});
