// What a caller of send sees, on a cluster that behaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeltabaseError } from '@deltabase/base';
import type { ClientLimits } from '../src/index.js';
import { FakeCluster } from './support/fake-cluster.js';
import { connectIn, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

const ORDER = { token: 't', mode: 'append', padding: '' };

async function make(limits: Partial<ClientLimits> = {}) {
  const world = new VirtualWorld(7);
  const cluster = new FakeCluster(world, { nodes: 3, groups: 4 });
  const { addresses } = cluster;
  const client = await connectIn(world, { addresses, transport: cluster, limits });
  return { world, cluster, client };
}

test('a hundred messages to one document travel together, not one by one', async () => {
  const { world, cluster, client } = await make();
  const document = client.document('s', 'k');
  const all = Array.from({ length: 100 }, (_, at) =>
    document.send('run', { ...ORDER, token: `${at}` }),
  );
  const results = await settled(world, Promise.all(all));
  assert.deepEqual(
    results.map(({ seq }) => seq),
    Array.from({ length: 100 }, (_, at) => at + 1),
  );
  assert.equal(cluster.framePeak, 100);
  assert.equal(cluster.frames, 1);
  await settled(world, client.close());
});

test('messages go straight to the leader of their group', async () => {
  const { world, cluster, client } = await make();
  for (const group of cluster.groups) group.leader = 3;
  await settled(world, client.close());
  const again = await connectIn(world, { addresses: cluster.addresses, transport: cluster });
  cluster.breakStreams(1);
  cluster.breakStreams(2);
  const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
  const sent = keys.map((key) => again.document('s', key).send('run', ORDER));
  await settled(world, Promise.all(sent));
  assert.equal(cluster.frames, 1);
  await settled(world, again.close());
});

test('many at once have their outcomes in their order, each for itself', async () => {
  const { world, client } = await make();
  const outcomes = await settled(
    world,
    client.sendMany([
      { space: 's', key: 'a', channel: 'run', payload: { ...ORDER, token: '1' } },
      { space: 's', key: 'a', channel: 'run', payload: { ...ORDER, token: '2', mode: 'odd' } },
      { space: 's', key: 'a', channel: 'Not a channel', payload: ORDER },
      { space: 's', key: '', channel: 'run', payload: ORDER },
      { space: 's', key: 'b', channel: 'run', payload: { ...ORDER, token: '3' } },
    ]),
  );
  const seen = outcomes.map((one) => (one.kind === 'accepted' ? one.reply : one.error.code));
  assert.deepEqual(seen, ['1', 'REJECTED', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', '3']);
  assert.deepEqual(await settled(world, client.sendMany([])), []);
  await settled(world, client.close());
});

test('a message without an answer fails at its deadline and says that its outcome is unknown', async () => {
  const { world, cluster, client } = await make();
  for (const group of [1, 2, 3, 4]) cluster.groups[group]!.endLeadership(0, false);
  const startMs = world.nowMs();
  const sent = client.document('s', 'k').send('run', ORDER, { deadlineMs: 700 });
  await assert.rejects(settled(world, sent), (error: DeltabaseError) => {
    assert.equal(error.code, 'DEADLINE_EXCEEDED');
    assert.equal(error.details['outcomeUnknown'], false, 'every attempt was refused');
    assert.match(error.message, /within 700 ms \(last: no leader\); the message took no effect/);
    return true;
  });
  assert.ok(world.nowMs() - startMs >= 700 && world.nowMs() - startMs < 800);

  cluster.groups.forEach((group) => {
    group.leader = 1;
  });
  cluster.weather.delayMsMax = 5000;
  const slow = client.document('s', 'k2').send('run', ORDER, { deadlineMs: 50 });
  await assert.rejects(settled(world, slow), (error: DeltabaseError) => {
    assert.equal(error.details['outcomeUnknown'], true, 'it is on its way');
    return true;
  });
  await settled(world, client.close({ abandon: true }));
});

test('an aborted message fails with CANCELLED, also one that waits, and nothing is kept of it', async () => {
  const { world, client } = await make({ inFlightMax: 1 });
  const controller = new AbortController();
  const { signal } = controller;
  const document = client.document('s', 'k');
  const first = document.send('run', { ...ORDER, token: 'first' });
  const waiting = document.send('run', { ...ORDER, token: 'waiting' }, { signal });
  const behind = document.send('run', { ...ORDER, token: 'behind' });
  controller.abort();
  await assert.rejects(settled(world, waiting), { code: 'CANCELLED' });
  assert.equal((await settled(world, first)).seq, 1);
  assert.equal((await settled(world, behind)).seq, 2);
  await assert.rejects(document.send('run', ORDER, { signal }), { code: 'CANCELLED' });
  await settled(world, client.close());
});

test('what waits for room is bounded: more is refused with OVERLOADED', async () => {
  const { world, client } = await make({ inFlightMax: 2, waitingMax: 3 });
  const document = client.document('s', 'k');
  const sent = Array.from({ length: 6 }, (_, at) =>
    document.send('run', { ...ORDER, token: `${at}` }),
  );
  await assert.rejects(sent[5]!, { code: 'OVERLOADED', details: { outcomeUnknown: false } });
  const results = await settled(world, Promise.all(sent.slice(0, 5)));
  assert.deepEqual(
    results.map(({ reply }) => reply),
    ['0', '1', '2', '3', '4'],
  );
  await settled(world, client.close());
});

test('what waits is bounded in bytes too', async () => {
  const { world, client } = await make({ inFlightMax: 1, waitingBytesMax: 1000 });
  const document = client.document('s', 'k');
  const first = document.send('run', ORDER);
  const fits = document.send('run', { ...ORDER, token: 'u', padding: 'x'.repeat(700) });
  const refused = document.send('run', { ...ORDER, token: 'v', padding: 'x'.repeat(700) });
  await assert.rejects(refused, { code: 'OVERLOADED' });
  await settled(world, Promise.all([first, fits]));
  await settled(world, client.close());
});

test('a session that the cluster finds too old fails its message, and the next goes under a new one', async () => {
  const { world, cluster, client } = await make();
  const minuteMs = 60_000;
  for (const group of cluster.groups) group.aheadMs = 50 * minuteMs;
  const document = client.document('s', 'k');
  await settled(world, document.send('run', { ...ORDER, token: 'young' }));
  await world.run(11 * minuteMs);
  await assert.rejects(settled(world, document.send('run', ORDER)), { code: 'SESSION_EXPIRED' });
  assert.equal((await settled(world, document.send('run', ORDER))).seq, 2);
  await settled(world, client.close());
});

test('closing waits for what is unanswered and takes nothing new', async () => {
  const { world, cluster, client } = await make();
  const document = client.document('s', 'k');
  const sent = document.send('run', ORDER);
  const closing = client.close();
  await assert.rejects(document.send('run', ORDER), { code: 'CANCELLED' });
  await settled(world, closing);
  assert.equal((await sent).seq, 1);
  assert.deepEqual(cluster.tokens('s', 'k'), ['t']);
});

test('closing can give up at once', async () => {
  const { world, cluster, client } = await make({ inFlightMax: 1 });
  cluster.weather.delayMsMax = 100_000;
  const document = client.document('s', 'k');
  const all = Promise.allSettled([document.send('run', ORDER), document.send('run', ORDER)]);
  await world.run(1);
  const startMs = world.nowMs();
  await settled(world, client.close({ abandon: true }));
  assert.ok(world.nowMs() - startMs < 10);
  const codes = (await all).map((one) => (one as PromiseRejectedResult).reason.code);
  assert.deepEqual(codes, ['CANCELLED', 'CANCELLED']);
});

test('what cannot be a message is refused before it is sent', async () => {
  const { world, client } = await make();
  const document = client.document('s', 'k');
  const circular: { self?: unknown } = {};
  circular.self = circular;
  await assert.rejects(document.send('No', 1), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(document.send('run', (() => 1) as never), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(document.send('run', circular as never), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(document.send('run', 1n as never), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(document.send('run', 'x'.repeat(2 ** 21)), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => client.document('Not a space', 'k'), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => client.document('s', ''), { code: 'INVALID_ARGUMENT' });
  await settled(world, client.close());
});

test('nothing stays behind: no lanes, no sessions, no timers that matter', async () => {
  const { world, cluster, client } = await make();
  const sent = Array.from({ length: 50 }, (_, at) =>
    client.document('s', `k${at}`).send('run', ORDER),
  );
  cluster.moveLeader(1, 2, 20);
  cluster.breakStreams(3);
  await settled(world, Promise.all(sent));
  await settled(world, client.close());
  await assert.rejects(
    world.runUntil(() => false, 60_000),
    /not reached/,
    'nothing goes on',
  );
});
