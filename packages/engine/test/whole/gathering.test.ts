import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenCluster } from '@deltabase/testkit';

/** Entries that 40 messages become, one sent every 10 ms, while each write takes long. */
function entriesOf(gatherMsMax: number): number {
  const tokens = new TokenCluster({ seed: 7, limits: { gatherMsMax } }).start();
  tokens.run(500);
  const leader = tokens.leaderOf('a');
  const last = (): number => {
    const { groups } = tokens.cluster.engine(leader).status();
    return groups[tokens.groupOf('a')]!.lastIndex;
  };
  const client = tokens.client('c');
  const before = last();
  tokens.cluster.weather.writeMsMax = 300;
  for (let count = 0; count < 40; count++) {
    client.send(`k${count % 5}`, 'append', leader);
    tokens.run(10);
  }
  tokens.settle();
  tokens.check();
  return last() - before;
}

test('what arrives while a batch is being written shares an entry, however much that is', () => {
  const entries = entriesOf(10_000);
  assert.ok(entries <= 10, `40 messages in ${entries} entries`);
});

test('a slow disk holds messages up for no longer than the limit: a quorum may do without it', () => {
  const entries = entriesOf(5);
  assert.ok(entries >= 30, `40 messages in ${entries} entries`);
});
