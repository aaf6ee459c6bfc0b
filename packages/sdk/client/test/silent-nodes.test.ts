// Nodes that stand still, or have no quorum: their streams are open and nothing comes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, encodeUtf8 } from '@deltabase/base';
import type { Client } from '../src/index.js';
import {
  addressOf,
  connectIn,
  type Script,
  ScriptedNodes,
  settled,
} from './support/scripted-nodes.js';
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

function entry(index: number): object {
  return { index, term: 1, kind: 'empty', bytes: 0, committed: true, records: [], summary: '' };
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

test('a log and a watch that their node does not give come from another one', async () => {
  const world = new VirtualWorld(1);
  const truth = new Truth();
  truth.seq = 3;
  const { client, nodes } = await clientOf(world, SILENT, {
    async *stream(name) {
      if (name === 'Watch') yield { events: truth.stateEvents() };
      else yield { entries: [entry(1)] };
      await new Promise<void>((resolve) => world.after(1, resolve));
    },
  });
  const log = await settled(world, all(client.cluster.log({ group: 1 })));
  assert.deepEqual(
    log.map(({ index }) => index),
    [1],
  );
  const watch = documentOf(client).watch();
  assert.equal((await settled(world, watch.next())).value.seq, 3);
  assert.equal(nodes.calls.at(-1), 'Watch 2');
  await settled(world, client.close());
});

test('a watch that has its state waits for deltas as long as it takes, on one call', async () => {
  const world = new VirtualWorld(1);
  const truth = new Truth();
  truth.seq = 3;
  const { client, nodes } = await clientOf(world, {
    async *stream(_name, _request, { signal }) {
      yield { events: truth.stateEvents() };
      await new Promise<void>((resolve) => world.after(300_000, resolve));
      assert.ok(!signal!.aborted);
      yield { events: [truth.deltaEvent(4)] };
      await new Promise(() => {});
    },
  });
  const watch = documentOf(client).watch({ deadlineMs: 3000 });
  assert.equal((await settled(world, watch.next())).value.seq, 3);
  assert.equal((await settled(world, watch.next())).value.seq, 4);
  assert.deepEqual(nodes.calls, ['Watch 1']);
  await settled(world, client.close());
});

test('a state of which only a piece comes is asked for elsewhere', async () => {
  const world = new VirtualWorld(1);
  const truth = new Truth();
  truth.seq = 3;
  const { client, nodes } = await clientOf(
    world,
    {
      async *stream(name, request, options) {
        const [first] = truth.stateEvents() as { state: object }[];
        yield { events: [{ state: { ...first!.state, last: false } }] };
        yield* SILENT.stream!(name, request, options);
      },
    },
    {
      async *stream() {
        yield { events: truth.stateEvents() };
        await new Promise(() => {});
      },
    },
  );
  const watch = documentOf(client).watch();
  assert.equal((await settled(world, watch.next())).value.seq, 3);
  assert.equal(nodes.calls.at(-1), 'Watch 2');
  await settled(world, client.close());
});

test('a watch that is silent at a copy begins at the leader', async () => {
  const world = new VirtualWorld(1);
  const truth = new Truth();
  truth.seq = 3;
  const node: Script = {
    call: () => ({ seq: 3, hash: '00', value: encodeUtf8('1'), copies: [addressOf(2)] }),
    async *stream() {
      yield { events: truth.stateEvents() };
      await new Promise(() => {});
    },
  };
  const nodes = new ScriptedNodes(world, [node, SILENT], 1);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  await settled(world, documentOf(client).get());
  const begunMs = world.nowMs();
  const watch = documentOf(client).watch();
  assert.equal((await settled(world, watch.next())).value.seq, 3);
  assert.deepEqual(nodes.calls, ['Get 1', 'Watch 2', 'Watch 1']);
  assert.ok(world.nowMs() - begunMs < 3000);
  await settled(world, client.close());
});

test('pages that stop coming are asked for elsewhere, behind what was given', async () => {
  const world = new VirtualWorld(1);
  const { client } = await clientOf(
    world,
    {
      async *stream(name, request, options) {
        const { fromIndex, fromSeq } = request as { fromIndex?: number; fromSeq?: number };
        if (fromIndex === 1) yield { entries: [entry(1)] };
        if (fromSeq === 1) yield { deltas: [new Truth().delta(1)] };
        yield* SILENT.stream!(name, request, options);
      },
    },
    {
      async *stream(name) {
        if (name === 'ReadLog') yield { entries: [entry(2)] };
        else yield { deltas: [new Truth().delta(2)] };
      },
    },
  );
  const log = await settled(world, all(client.cluster.log({ group: 1, from: 1 })));
  assert.deepEqual(
    log.map(({ index }) => index),
    [1, 2],
  );
  const history = await settled(world, all(documentOf(client).history()));
  assert.deepEqual(
    history.map(({ seq }) => seq),
    [1, 2],
  );
  await settled(world, client.close());
});

test('no call stays with the signal of its caller, nor leaves a timer behind', async () => {
  const world = new VirtualWorld(1);
  let watches = 0;
  const { client } = await clientOf(world, {
    async *stream(name) {
      // The first ends without a word.
      if (name === 'Watch' && ++watches > 1) yield { events: new Truth().stateEvents() };
    },
  });
  const { signal } = new AbortController();
  let listeners = 0;
  const [add, remove] = [signal.addEventListener, signal.removeEventListener];
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove.apply(signal, args);
  };
  const { pending } = world;
  await settled(world, all(documentOf(client).history({ signal })));
  await settled(world, all(client.cluster.log({ group: 1, signal })));
  const watch = documentOf(client).watch({ signal });
  await settled(world, watch.next());
  await settled(world, watch.return!());
  assert.equal(listeners, 0);
  assert.equal(world.pending, pending);
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
    async *stream(name, _request, { signal }) {
      for (let at = 1; at <= 3; at++) {
        yield name === 'ReadLog' ? { entries: [entry(at)] } : { deltas: [new Truth().delta(at)] };
        assert.ok(!signal!.aborted);
      }
    },
  });
  const reading = (async () => {
    for await (const _delta of documentOf(client).history({ deadlineMs: 1000 })) {
      await new Promise<void>((resolve) => world.after(5000, resolve));
    }
    for await (const _entry of client.cluster.log({ group: 1, deadlineMs: 1000 })) {
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
