// Watches of one client that share streams, on real nodes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, type WatchOptions } from '@deltabase/client';
import { connectAndDeploy, withCluster } from '../src/scratch.js';

const MESSAGES = 300;
const KEYS = ['a', 'b', 'c'];

/** Follows a counter to its end, resting `restMs` behind each event. Throws unless each event follows from the one before. */
async function follow(client: Client, key: string, restMs: number, options: WatchOptions = {}) {
  let seq: number | undefined;
  let events = 0;
  for await (const event of client.document('counter', key).watch(options)) {
    events++;
    if (event.kind === 'delta') assert.equal(event.seq, seq! + 1, `${key}: no gap and no repeat`);
    else if (event.kind === 'composed') assert.equal(event.fromSeq, seq);
    else assert.ok(seq === undefined || event.seq > seq, 'a further state is ahead');
    seq = event.seq;
    if (seq === MESSAGES) return events;
    if (restMs > 0) await sleep(restMs);
  }
  throw new Error('the watch ended');
}

test('watches of a client share streams, slow ones hold up no others, and none misses anything though a node is killed', {
  timeout: 120_000,
}, async () => {
  await withCluster({}, async (cluster) => {
    const writer = await connectAndDeploy(cluster.addresses, 'counter');
    // Some ten deltas: whoever rests for longer goes on apart.
    const limits = { watchUnreadBytesMax: 4000 };
    const watcher = await connect({ addresses: cluster.addresses, limits });
    try {
      const quick = KEYS.flatMap((key) =>
        Array.from({ length: 30 }, () => follow(watcher, key, 0)),
      );
      const slow = KEYS.map((key) => follow(watcher, key, 5));
      const latest = KEYS.map((key) => follow(watcher, key, 50, { policy: 'latest' }));
      const write = async (key: string): Promise<void> => {
        for (let n = 0; n < MESSAGES; n++) await writer.document('counter', key).send('add');
      };
      const kill = async (): Promise<void> => {
        await sleep(300);
        await cluster.nodes[0]!.stop('SIGKILL');
        await cluster.nodes[0]!.start();
      };
      const written = Promise.all([kill(), ...KEYS.map(write)]);
      await Promise.all([written, ...quick]);
      const counts = await Promise.all(slow);
      assert.ok(
        counts.every((count) => count > MESSAGES / 2),
        `slow ones got ${counts} events`,
      );
      for (const count of await Promise.all(latest)) assert.ok(count < MESSAGES);
    } finally {
      await Promise.all([writer, watcher].map((client) => client.close({ abandon: true })));
    }
  });
});
