// Logs as far as the client adds to what nodes answer: it goes on when they fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import type { Client, LogOptions } from '../src/index.js';
import { connectIn, type Script, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

interface LogRequest {
  readonly fromIndex: number;
  readonly limit: number;
  readonly follow: boolean;
}

/** A node with entries up to `last` that ends a call after three of them, with an error if it `breaks`. */
function logOf(last: number, requests: LogRequest[], breaks = true): Script {
  return {
    async *stream(_name, request) {
      const { fromIndex, limit } = request as LogRequest;
      requests.push(request as LogRequest);
      const end = Math.min(fromIndex + 3, last + 1, fromIndex + (limit || Infinity));
      for (let index = fromIndex; index < end; index++) yield { entries: [entry(index)] };
      if (end === fromIndex + 3 && breaks) throw new DeltabaseError('UNAVAILABLE', 'broke');
    },
  };
}

function entry(index: number, committed = true): object {
  return { index, term: 1, kind: 'empty', bytes: 0, committed, records: [], summary: '' };
}

async function clientOf(world: VirtualWorld, ...scripts: Script[]) {
  const nodes = new ScriptedNodes(world, scripts);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  return { nodes, client };
}

/** Indexes that the log gives, at most `max`. */
async function indexes(
  world: VirtualWorld,
  client: Client,
  options: LogOptions,
  max = Infinity,
): Promise<number[]> {
  const found: number[] = [];
  const reading = (async () => {
    for await (const { index } of client.cluster.log(options)) {
      found.push(index);
      if (found.length >= max) break;
    }
  })();
  await settled(world, reading);
  return found;
}

test('a log goes on behind what it has given when a node fails in the middle', async () => {
  const world = new VirtualWorld(1);
  const requests: LogRequest[] = [];
  const { nodes, client } = await clientOf(world, logOf(8, requests), logOf(8, requests));
  assert.deepEqual(await indexes(world, client, { group: 1, from: 1 }), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(nodes.calls, ['ReadLog 1', 'ReadLog 1', 'ReadLog 1']);
  assert.deepEqual(await indexes(world, client, { group: 1, from: 2, limit: 4 }), [2, 3, 4, 5]);
  const wanted = requests.map(({ fromIndex, limit }) => [fromIndex, limit]);
  assert.deepEqual(wanted, [
    [1, 0],
    [4, 0],
    [7, 0],
    [2, 4],
    [5, 1],
  ]);
  await settled(world, client.close());
});

test('a log that is followed outlives nodes that end the call in order', async () => {
  const world = new VirtualWorld(1);
  const requests: LogRequest[] = [];
  const { client } = await clientOf(world, logOf(Infinity, requests, false));
  const found = await indexes(world, client, { group: 1, from: 5, follow: true }, 7);
  assert.deepEqual(found, [5, 6, 7, 8, 9, 10, 11]);
  assert(requests.every(({ follow }) => follow));
  await settled(world, client.close());
});

test('a log is not pieced together of entries that another leader may have replaced', async () => {
  const world = new VirtualWorld(1);
  const { nodes, client } = await clientOf(world, {
    async *stream() {
      yield { entries: [entry(1), entry(2, false)] };
      throw new DeltabaseError('UNAVAILABLE', 'broke');
    },
  });
  await assert.rejects(indexes(world, client, { group: 1 }), { message: 'broke' });
  assert.deepEqual(nodes.calls, ['ReadLog 1']);
  await settled(world, client.close());
});

test('a log ends with the last error once no node has answered for as long as it may wait', async () => {
  const world = new VirtualWorld(1);
  const { nodes, client } = await clientOf(world, {
    // biome-ignore lint/correctness/useYield: it breaks at once.
    async *stream() {
      throw new DeltabaseError('UNAVAILABLE', 'never');
    },
  });
  const begunMs = world.nowMs();
  const reading = indexes(world, client, { group: 1, follow: true, deadlineMs: 3000 });
  await assert.rejects(reading, { message: 'never' });
  const tookMs = world.nowMs() - begunMs;
  assert(tookMs >= 3000 && tookMs < 4500, `${tookMs}`);
  assert(nodes.calls.length > 3);
  await settled(world, client.close());
});

test('an idle log that was followed for long is still worth waiting for when its node fails', async () => {
  const world = new VirtualWorld(1);
  let calls = 0;
  const { client } = await clientOf(world, {
    async *stream() {
      if (++calls === 1) {
        await new Promise<void>((resolve) => world.after(60_000, resolve));
        throw new DeltabaseError('UNAVAILABLE', 'broke after a minute');
      }
      yield { entries: [entry(4)] };
    },
  });
  const options = { group: 1, from: 4, follow: true, deadlineMs: 3000 };
  assert.deepEqual(await indexes(world, client, options, 1), [4]);
  await settled(world, client.close());
});

test('a node that is known but down cannot be asked, and one that is not known is refused', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [{}, {}]);
  nodes.down.add(2);
  const client = await connectIn(world, { addresses: ['node:9001'], transport: nodes });
  const asked = settled(world, client.cluster.status({ node: 2 }));
  await assert.rejects(asked, { code: 'UNAVAILABLE', message: 'node:9002 is down' });
  const unknown = settled(world, client.cluster.status({ node: 3 }));
  await assert.rejects(unknown, {
    code: 'NODE_NOT_FOUND',
    message: 'there is no node 3: there are 1, 2',
  });
  await settled(world, client.close());
});
