// Nodes come and go in a real cluster that is written to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, connect } from '@deltabase/client';
import { leadersSettled } from '../src/calm.js';
import { exampleModule, until, withCluster } from '../src/scratch.js';

const WRITERS = 64;
const REMOVED = 4;

test('all nodes are replaced one by one under 64 writers, and no message is lost, doubled or refused', {
  timeout: 240_000,
}, async (t) => {
  await withCluster({}, async (cluster) => {
    const client = await connect({ addresses: cluster.addresses });
    try {
      await client.machines.deploy('counter', await exampleModule('counter'));
      await leadersSettled(cluster);
      const writers = new Writers(client);
      const [...founders] = cluster.nodes;
      for (const old of founders) {
        const { node, member } = await cluster.makeJoining(old.id + 3);
        const begunMs = performance.now();
        writers.longestGapMs = 0;
        const change = await client.members.replace(old.id, member);
        await node.start();
        await client.members.done(change, { deadlineMs: 60_000 });
        assert.equal(await old.exited, REMOVED, `node ${old.id} is told, and ends`);
        const before = writers.answered;
        await until('answers', () => writers.answered > before + 10 * WRITERS);
        const tookMs = performance.now() - begunMs;
        t.diagnostic(
          `node ${old.id} replaced in ${tookMs.toFixed(0)} ms, at most ${writers.longestGapMs.toFixed(0)} ms without an answer`,
        );
        assert.ok(writers.longestGapMs < 2000, `${writers.longestGapMs} ms without progress`);
      }
      await writers.stop();
      const { members } = await client.members.list();
      assert.deepEqual(
        members.map(({ node, role }) => [node, role]),
        [4, 5, 6].map((id) => [id, 'voter']),
      );
      await assert.rejects(founders[0]!.start(), /was removed from the cluster/);
    } finally {
      await client.close({ abandon: true });
    }
  });
});

/** Writers that count, each on a document of its own, a message at a time: a lost or doubled one shows at once. */
class Writers {
  answered = 0;
  longestGapMs = 0;
  readonly #writing: Promise<void>[];
  #isStopping = false;
  #lastMs = performance.now();

  constructor(client: Client) {
    this.#writing = Array.from({ length: WRITERS }, (_, writer) => this.#write(client, writer));
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#writing);
  }

  async #write(client: Client, writer: number): Promise<void> {
    const document = client.document('counter', `writer-${writer}`);
    for (let count = 1; !this.#isStopping; count++) {
      const { reply } = await document.send('add', { by: 1 });
      assert.equal(reply, count, `writer ${writer}`);
      const nowMs = performance.now();
      this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      this.answered++;
    }
  }
}
