import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadResult } from '@deltabase/engine';
import {
  type ReplicaOptions,
  type SimulatedReplica,
  simulatedMember,
  TokenCluster,
} from '../../src/index.js';

const NODES = [1, 2, 3].map((id) => simulatedMember(id).clientAddress);

/** A cluster of three with a document of some tokens, and replicas that run. */
function start(...replicas: Array<Partial<ReplicaOptions> & { readonly name: string }>) {
  const tokens = new TokenCluster({ seed: 5 }).start();
  const started = replicas.map((options) => {
    const replica = tokens.cluster.addReplica({ upstreams: NODES, ...options });
    replica.start();
    return replica;
  });
  append(tokens, 5);
  return { tokens, started };
}

function append(tokens: TokenCluster, count: number): void {
  const client = tokens.client(`a${tokens.clients.length}`);
  for (let left = count; left > 0; left--) client.send('k', 'append');
  tokens.settle();
}

function read(tokens: TokenCluster, { replica, clock }: SimulatedReplica): ReadResult {
  let result: ReadResult | undefined;
  const request = { space: tokens.space, key: 'k', pointer: '', atSeq: undefined };
  const expiresMs = clock.monotonicMs + 3000;
  replica!.read({ ...request, mode: { kind: 'linearizable' }, expiresMs }, (answer) => {
    result = answer;
  });
  tokens.until(() => result !== undefined);
  return result!;
}

function seqOf(result: ReadResult): number | string {
  return result.kind === 'value' ? result.seq : result.code;
}

test('a replica shows what the leader has, in each of its lives', () => {
  const { tokens, started } = start({ name: 'r1' });
  const [replica] = started as [SimulatedReplica];
  assert.equal(seqOf(read(tokens, replica)), 5);
  append(tokens, 3);
  assert.equal(seqOf(read(tokens, replica)), 8);
  for (const end of ['crash', 'stop'] as const) {
    replica[end]();
    assert.ok(!replica.isUp);
    replica.start();
    assert.equal(seqOf(read(tokens, replica)), 8);
  }
  tokens.check();
});

test('a replica is fed by another one, through which it asks the leader', () => {
  const { tokens, started } = start({ name: 'r1' }, { name: 'r2', upstreams: ['r1:1'] });
  const [, second] = started as [SimulatedReplica, SimulatedReplica];
  assert.equal(seqOf(read(tokens, second)), 5);
  assert.deepEqual(second.replica!.status().via, ['r1']);
  append(tokens, 2);
  assert.equal(seqOf(read(tokens, second)), 7);
  tokens.check();
});

test('replicas in a circle without a way out serve nothing, and find a way where there is one', () => {
  const { tokens, started } = start(
    { name: 'r1', upstreams: ['r2:1'] },
    { name: 'r2', upstreams: ['r1:1'] },
    { name: 'r3', upstreams: ['r3:1', 'r2:1', NODES[0]!] },
  );
  const [first, second, third] = started as [SimulatedReplica, SimulatedReplica, SimulatedReplica];
  assert.equal(seqOf(read(tokens, first)), 'UNAVAILABLE');
  assert.equal(seqOf(read(tokens, second)), 'UNAVAILABLE');
  tokens.until(() => third.replica!.origin.live);
  assert.equal(seqOf(read(tokens, third)), 5);
  tokens.check();
});

test('a replica that stands still does nothing, and then goes on', () => {
  const { tokens, started } = start({ name: 'r1' });
  const [replica] = started as [SimulatedReplica];
  read(tokens, replica);
  replica.pause();
  append(tokens, 3);
  tokens.run(2000);
  const stale = (): number | string => {
    let result: ReadResult | undefined;
    const request = { space: tokens.space, key: 'k', pointer: '', atSeq: undefined };
    const expiresMs = replica.clock.monotonicMs + 3000;
    replica.replica!.read({ ...request, mode: { kind: 'stale' }, expiresMs }, (answer) => {
      result = answer;
    });
    tokens.run(1000);
    return result === undefined ? 'nothing' : seqOf(result);
  };
  assert.equal(stale(), 'nothing');
  replica.resume();
  tokens.run(1000);
  assert.equal(stale(), 8);
});

test('watchers go from process to process, of either kind, and miss nothing', () => {
  const ways = new Set<string>();
  const watcherWent = (from: string | undefined, to: string): void => {
    if (from !== undefined) ways.add(`${from} to ${to}`);
  };
  const tokens = new TokenCluster({ seed: 6, watcherWent }).start();
  tokens.cluster.addReplica({ name: 'r1', upstreams: NODES }).start();
  for (const kind of ['every', 'latest'] as const) {
    tokens.watch(`w ${kind}`, 'k', { policy: { kind }, moveMs: 100, stallMsMax: 50 });
  }
  const client = tokens.client('c');
  for (let round = 0; round < 100; round++) {
    client.send('k', 'append');
    tokens.run(50);
  }
  assert.equal(ways.size, 4, [...ways].join());
  tokens.check();
});

test('reads of clients are answered by nodes and by replicas', () => {
  let byReplica = 0;
  const tokens = new TokenCluster({ seed: 7, servedByReplica: () => byReplica++ }).start();
  tokens.cluster.addReplica({ name: 'r1', upstreams: NODES }).start();
  append(tokens, 5);
  const client = tokens.client('c');
  for (let count = 0; count < 40; count++) client.read('k', { kind: 'linearizable' });
  tokens.settle();
  assert.ok(byReplica > 5 && byReplica < 35, String(byReplica));
  tokens.check();
});

test('the end of a life of a replica is told with what it did', () => {
  const ended: string[] = [];
  const observer = {
    replicaEnding: ({ name, connections }: { name: string; connections: number }) =>
      void ended.push(`${name} ${connections}`),
  };
  const tokens = new TokenCluster({ seed: 8, observer }).start();
  const replica = tokens.cluster.addReplica({ name: 'r1', upstreams: NODES });
  replica.start();
  tokens.run(100);
  replica.crash();
  replica.crash();
  assert.deepEqual(ended, ['r1 1']);
});
