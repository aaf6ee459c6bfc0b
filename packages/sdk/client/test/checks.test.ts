// What may not be asked for is refused by the client, whatever the types were told: the wire would make something else of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GetOptions, HistoryOptions, LogOptions, WatchOptions } from '../src/index.js';
import { connectIn, type Script, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

async function setUp() {
  const world = new VirtualWorld(1);
  const asked: string[] = [];
  const script: Script = {
    call(name) {
      asked.push(name);
      throw new Error('nothing is to be asked');
    },
    // biome-ignore lint/correctness/useYield: nothing is to be asked.
    async *stream(name) {
      asked.push(name);
      throw new Error('nothing is to be asked');
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  return { world, client, document: client.document('s', 'k'), asked };
}

function refused(message: RegExp): object {
  return { name: 'DeltabaseError', code: 'INVALID_ARGUMENT', message };
}

/** Numbers that are none to the wire, or another one. */
const NOT_WHOLE: readonly unknown[] = [-1, 1.5, Number.NaN, Infinity, 2 ** 53, '1', null, 1n];

test('a read at a seq, with a mode or an age that cannot be is refused and says what can', async () => {
  const { world, client, document, asked } = await setUp();
  const rejects = (options: object, says: RegExp): Promise<void> =>
    assert.rejects(settled(world, document.get(options as GetOptions)), refused(says));
  for (const value of [0, ...NOT_WHOLE]) {
    await rejects({ atSeq: value }, /^atSeq is \S+: use a whole number of at least 1$/);
  }
  for (const value of NOT_WHOLE) {
    const least = /^(withinMs|atLeastSeq) is \S+: use a whole number of at least 0$/;
    await rejects({ mode: { withinMs: value } }, least);
    await rejects({ mode: { atLeastSeq: value } }, least);
  }
  for (const mode of ['junk', {}, null, 7]) {
    await rejects({ mode }, /use 'linearizable', 'stale', \{withinMs: 100\} or \{atLeastSeq: 7\}$/);
  }
  assert.deepEqual(asked, []);
  await settled(world, client.close());
});

test('a history, a log or a watch from where none can be is refused and says what can', async () => {
  const { world, client, document, asked } = await setUp();
  const rejects = (begin: () => AsyncIterator<unknown>, says: RegExp): Promise<void> =>
    assert.rejects(settled(world, begin().next()), refused(says));
  for (const value of NOT_WHOLE) {
    const history = (options: object) => () => document.history(options as HistoryOptions);
    const log = (options: object) => () => client.cluster.log(options as LogOptions);
    await rejects(history({ from: value }), /^from is \S+: use a whole number of at least 1$/);
    await rejects(log({ group: 1, from: value }), /^from is \S+: .* at least 0$/);
    await rejects(log({ group: value }), /^group is \S+: .* at least 0$/);
    const watch = () => document.watch({ afterSeq: value } as WatchOptions);
    await rejects(watch, /^afterSeq is \S+: use a whole number of at least 0$/);
    if (value === Infinity) continue;
    await rejects(history({ limit: value }), /^limit is \S+: .* at least 0$/);
    await rejects(log({ group: 1, limit: value }), /^limit is \S+: .* at least 0$/);
  }
  await rejects(() => document.history({ from: 0 }), /^from is 0: .* at least 1$/);
  assert.deepEqual(asked, []);
  await settled(world, client.close());
});

test('a policy that is none is refused, of a watch and of a live document', async () => {
  const { world, client, document, asked } = await setUp();
  for (const policy of ['junk', null, {}, { perSecond: '5' }]) {
    const options = { policy } as WatchOptions;
    const why = refused(/use 'every', 'latest' or \{perSecond: 10\}$/);
    await assert.rejects(settled(world, document.watch(options).next()), why);
    await assert.rejects(settled(world, document.live(options)), why);
  }
  assert.deepEqual(asked, []);
  await settled(world, client.close());
});
