import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectAndDeploy, withCluster } from '../src/scratch.js';

test('a live copy reads its own writes, and goes on though its nodes are killed one after the other', {
  timeout: 120_000,
}, async () => {
  await withCluster({}, async (cluster) => {
    const client = await connectAndDeploy(cluster.addresses, 'counter');
    try {
      await client.document('counter', 'live').send('add', { by: 1 });
      const live = await client.live<{ n: number }>('counter', 'live');
      const seen: unknown[] = [live.get('/n')];
      live.onChange('/n', ({ before, value }) => {
        assert.equal(before, seen.at(-1), 'changes join');
        seen.push(value);
      });
      for (const node of cluster.nodes) {
        for (let count = 0; count < 5; count++) {
          const { reply } = await live.send<number>('add', { by: 1 });
          assert.equal(live.get('/n'), reply, 'what was written is read');
        }
        await node.stop('SIGKILL');
        const { reply } = await live.send<number>('add', { by: 1 });
        assert.equal(live.get('/n'), reply);
        await node.start();
      }
      const { seq, hash, value } = await client.document<{ n: number }>('counter', 'live').get();
      await live.reach(seq);
      assert.deepEqual([live.seq, live.hash, live.value], [seq, hash, value]);
      assert.deepEqual(
        seen,
        Array.from({ length: 19 }, (_, at) => at + 1),
        'every delta was told, once',
      );
      assert.equal(live.mismatches, 0);
      live.close();
    } finally {
      await client.close({ abandon: true });
    }
  });
});
