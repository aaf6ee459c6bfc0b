// Watches of one client that share streams, on real nodes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, type WatchOptions } from '@deltabase/client';
import { connectAndDeploy, withCluster } from '../src/scratch.js';

/** So many while a node is killed, and the rest at once when it is back. */
const FIRST = 100;
const MESSAGES = 400;
const KEYS = ['a', 'b', 'c'];

/** Follows a counter to its end, resting behind each event. */
class Follower {
  seq = 0;
  events = 0;
  readonly ended: Promise<void>;

  constructor(client: Client, key: string, restMs: number, options: WatchOptions = {}) {
    this.ended = this.#follow(client, key, restMs, options);
  }

  async #follow(client: Client, key: string, restMs: number, options: WatchOptions): Promise<void> {
    for await (const event of client.document('counter', key).watch(options)) {
      const { seq } = this;
      if (event.kind === 'delta') assert.equal(event.seq, seq + 1, `${key}: no gap and no repeat`);
      else if (event.kind === 'composed') assert.equal(event.fromSeq, seq);
      else assert.ok(event.seq >= seq, 'a further state is ahead');
      this.seq = event.seq;
      this.events++;
      if (event.seq === MESSAGES) return;
      if (restMs > 0) await sleep(restMs);
    }
    throw new Error('the watch ended');
  }
}

test('watches of a client share streams, slow ones hold up no others, and none misses anything though a node is killed', {
  timeout: 120_000,
}, async () => {
  await withCluster({}, async (cluster) => {
    const writer = await connectAndDeploy(cluster.addresses, 'counter');
    // Some thirty deltas: whoever rests for longer goes on apart.
    const limits = { watchUnreadBytesMax: 4000 };
    const watcher = await connect({ addresses: cluster.addresses, limits });
    const follow = (restMs: number, options?: WatchOptions): Follower[] =>
      KEYS.map((key) => new Follower(watcher, key, restMs, options));
    try {
      const quick = Array.from({ length: 30 }, () => follow(0)).flat();
      const slow = follow(8);
      const latest = follow(50, { policy: 'latest' });
      const all = [...quick, ...slow, ...latest];
      const allEnded = Promise.all(all.map(({ ended }) => ended));
      const write = async (count: number): Promise<void> => {
        const documents = KEYS.map((key) => writer.document('counter', key));
        const sends = documents.flatMap((document) =>
          Array.from({ length: count }, () => document.send('add')),
        );
        await Promise.all(sends);
      };
      const kill = async (): Promise<void> => {
        await cluster.nodes[0]!.stop('SIGKILL');
        await cluster.nodes[0]!.start();
      };
      await Promise.all([kill(), write(FIRST)]);
      await write(MESSAGES - FIRST);
      await Promise.all(quick.map(({ ended }) => ended));
      // Behind by more than may be unread on a stream that others share.
      for (const { seq } of slow) assert.ok(seq < MESSAGES - 60, `a slow one is at ${seq}`);
      await allEnded;
      for (const { events } of slow) assert.ok(events > MESSAGES - FIRST);
      for (const { events } of latest) assert.ok(events < MESSAGES / 2, `${events} events`);
    } finally {
      await Promise.all([writer, watcher].map((client) => client.close({ abandon: true })));
    }
  });
});
