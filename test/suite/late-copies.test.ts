import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '@deltabase/client';
import { type NodeMessage, NodeView } from '../src/node-view.js';
import { exampleModule, until, withCluster } from '../src/scratch.js';

const [SPACE, KEY, SEAT] = ['seats', 'hall', { seats: ['1-1'] }];

test('a message that was refused never takes effect, though a node that stood still sends a copy of it', {
  timeout: 120_000,
}, async () => {
  await withCluster({ groups: 1 }, async (cluster) => {
    const client = await connect({ addresses: cluster.addresses });
    const views = cluster.nodes.map((node) => new NodeView(node.clientAddress));
    try {
      await client.machines.deploy(SPACE, await exampleModule('seats'));
      const hall = client.document(SPACE, KEY);
      await hall.send('open', { rows: 1, seatsPerRow: 1 });

      const { groups } = await views[0]!.status();
      const leader = groups.find(({ group }) => group === 1)!.leader;
      const paused = cluster.nodes.find(({ id }) => id !== leader)!;
      const session = { name: 'late', openedAtMs: Date.now() };
      const confirm: NodeMessage = {
        space: SPACE,
        key: KEY,
        channel: 'confirm',
        payload: SEAT,
        session,
        number: 1,
      };
      const through = (id: number): NodeView => views[id - 1]!;

      // The first copy is in the buffers of a node that stands still.
      await through(paused.id).connected();
      paused.signal('SIGSTOP');
      const late = through(paused.id).send(confirm);
      // The second is refused: nobody holds the seat.
      const second = await through(leader).send({ ...confirm, retried: true });
      assert.match(second, /not held by you/);
      // Then the message could take effect.
      await hall.send('hold', SEAT);
      paused.signal('SIGCONT');

      assert.equal(await late, second);
      const { value } = await hall.get();
      assert.equal((value as { sold: number }).sold, 0);
      // Another message may do what that one could not.
      await hall.send('confirm', SEAT);
      await until('the sale is known', async () => {
        const state = (await hall.get()).value as { sold: number };
        return state.sold === 1;
      });
    } finally {
      for (const view of views) view.close();
      await client.close({ abandon: true });
    }
  });
});
