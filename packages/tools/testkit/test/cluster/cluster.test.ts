import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, makeTokenMachines, TokenCluster } from '../../src/index.js';

function start(seed: number): Cluster {
  const cluster = new Cluster({ seed, nodes: 3, groups: 1, machines: () => makeTokenMachines() });
  cluster.start();
  return cluster;
}

test('a node that stalls does nothing, and then all that it did not get round to', () => {
  const cluster = start(1);
  const { turns } = cluster.engine(2).status().counters;
  cluster.pause(2);
  cluster.simulation.runFor(5000);
  assert.equal(cluster.engine(2).status().counters.turns, turns);
  cluster.resume(2);
  cluster.simulation.runFor(100);
  assert.ok(cluster.engine(2).status().counters.turns > turns);
  cluster.awaitLeaders();
});

test('a crash loses the batch in flight, or keeps it though nobody was told', () => {
  for (const inFlight of ['lost', 'kept'] as const) {
    const cluster = start(2);
    cluster.simulation.runFor(1000);
    cluster.weather.writeMsMax = 1000;
    const leader = cluster.engine(1).leaders()[0]!;
    const before = cluster.rows(leader).size;
    cluster.engine(leader).deploy(
      {
        space: 'tokens',
        module: new TextEncoder().encode('tokens-1'),
        expectedVersion: 0,
        principal: 'x',
        expiresMs: 60_000,
      },
      () => {},
    );
    cluster.simulation.runFor(0.5);
    assert.equal(cluster.rows(leader).size, before, 'the write is in flight');
    cluster.crash(leader, inFlight);
    assert.equal(cluster.rows(leader).size > before, inFlight === 'kept');
  }
});

test('a disk that fails ends its node at the next write, and nothing of that write is there', () => {
  const tokens = new TokenCluster({ seed: 3 }).start();
  tokens.run(6000);
  const leader = tokens.leaderOf('a');
  const before = tokens.cluster.rows(leader).size;
  tokens.cluster.failDisk(leader);
  tokens.client('c').send('a', 'append', leader);
  tokens.until(() => !tokens.cluster.isUp(leader), 1000);
  assert.equal(tokens.cluster.rows(leader).size, before);
  tokens.check();
});

test('the same seed gives the same run, another seed another one', () => {
  const trace = (seed: number): string => {
    const lines: string[] = [];
    const tokens = new TokenCluster({ seed, trace: (line) => void lines.push(line) }).start();
    const client = tokens.client('c');
    for (let count = 0; count < 20; count++) client.send('a', 'append');
    tokens.check();
    return lines.join('\n');
  };
  assert.equal(trace(4), trace(4));
  assert.notEqual(trace(4), trace(5));
});
