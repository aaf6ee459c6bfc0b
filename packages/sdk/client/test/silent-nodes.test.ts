// Nodes that stand still, or have no quorum: their streams are open and nothing comes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import type { Client } from '../src/index.js';
import { connectIn, type Script, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { Truth } from './support/unreliable-document.js';
import { VirtualWorld } from './support/virtual-world.js';

/** It says nothing until the call is given up. */
const SILENT: Script = {
  async *stream(_name, _request, { signal }) {
    await new Promise<void>((resolve) =>
      signal!.addEventListener('abort', () => resolve(), { once: true }),
    );
    throw new DeltabaseError('CANCELLED', 'the caller gave up');
  },
};

async function clientOf(world: VirtualWorld, ...scripts: Script[]) {
  const nodes = new ScriptedNodes(world, scripts);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  return { nodes, client };
}

/** How long it takes until `ending` has ended with DEADLINE_EXCEEDED, ms. */
async function tooLate(world: VirtualWorld, ending: Promise<unknown>): Promise<number> {
  const begunMs = world.nowMs();
  await assert.rejects(settled(world, ending), { code: 'DEADLINE_EXCEEDED' });
  return world.nowMs() - begunMs;
}

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of iterable) found.push(each);
  return found;
}

const documentOf = (client: Client) => client.document('s', 'k');

test('a history that its node does not give comes from another one', async () => {
  const world = new VirtualWorld(1);
  const { client, nodes } = await clientOf(world, SILENT, {
    async *stream() {
      yield { deltas: [new Truth().delta(1)] };
    },
  });
  const found = await settled(world, all(documentOf(client).history()));
  assert.deepEqual(
    found.map(({ seq }) => seq),
    [1],
  );
  assert.equal(nodes.calls[0], 'ListDeltas 1');
  assert.equal(nodes.calls.at(-1), 'ListDeltas 2');
  await settled(world, client.close());
});

test('histories, logs and watches that nobody answers end after their time', async () => {
  const world = new VirtualWorld(1);
  const { client } = await clientOf(world, SILENT, SILENT);
  const { cluster } = client;
  for (const [deadlineMs, ending] of [
    [3000, (deadlineMs: number) => all(documentOf(client).history({ deadlineMs }))],
    [25_000, (deadlineMs: number) => all(documentOf(client).history({ deadlineMs }))],
    [3000, (deadlineMs: number) => all(cluster.log({ group: 1, deadlineMs }))],
    [3000, (deadlineMs: number) => all(cluster.log({ group: 1, node: 2, deadlineMs }))],
    [25_000, (deadlineMs: number) => all(cluster.log({ group: 1, node: 2, deadlineMs }))],
    [3000, (deadlineMs: number) => all(documentOf(client).watch({ deadlineMs }))],
  ] as const) {
    const tookMs = await tooLate(world, ending(deadlineMs));
    assert.ok(tookMs >= deadlineMs && tookMs < deadlineMs + 1000, `${tookMs} of ${deadlineMs}`);
  }
  await settled(world, client.close());
});

test('the time of a page that is worked on by the caller does not count', async () => {
  const world = new VirtualWorld(1);
  const { client } = await clientOf(world, {
    async *stream() {
      for (let seq = 1; seq <= 3; seq++) yield { deltas: [new Truth().delta(seq)] };
    },
  });
  const reading = (async () => {
    for await (const _delta of documentOf(client).history({ deadlineMs: 1000 })) {
      await new Promise<void>((resolve) => world.after(5000, resolve));
    }
  })();
  await settled(world, reading);
  await settled(world, client.close());
});

test('who follows a log, or watches behind a seq, waits for what may come', async () => {
  const world = new VirtualWorld(1);
  const { client } = await clientOf(world, SILENT);
  const left = new AbortController();
  const { signal } = left;
  const options = { deadlineMs: 3000, signal };
  const waiting = [
    all(client.cluster.log({ group: 1, follow: true, ...options })),
    all(documentOf(client).watch({ afterSeq: 3, ...options })),
  ];
  const ended = Promise.allSettled(waiting);
  world.after(120_000, () => left.abort());
  const outcomes = await settled(world, ended);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === 'rejected');
    assert.equal(outcome.reason.code, 'CANCELLED');
  }
  await settled(world, client.close());
});

test('a watch whose beginning no quorum confirms ends after its time, wherever it would begin', async () => {
  for (const afterSeq of [undefined, 3]) {
    const world = new VirtualWorld(1);
    const unconfirmed: Script = {
      async *stream(_name, _request, { signal }) {
        await new Promise<void>((resolve) => {
          world.after(10_000, resolve);
          signal!.addEventListener('abort', () => resolve());
        });
        const details = { unconfirmed: true };
        throw new DeltabaseError('UNAVAILABLE', 'no leader confirmed the state', { details });
      },
    };
    const { client } = await clientOf(world, unconfirmed, unconfirmed);
    const begunMs = world.nowMs();
    const where = afterSeq === undefined ? {} : { afterSeq };
    const watching = all(documentOf(client).watch({ deadlineMs: 25_000, ...where }));
    await assert.rejects(settled(world, watching), /no leader confirmed|says nothing/);
    const tookMs = world.nowMs() - begunMs;
    assert.ok(tookMs >= 25_000 && tookMs < 36_000, `${tookMs}`);
    await settled(world, client.close());
  }
});
