// How many reads a client has open, and what becomes of the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DEFAULT_LIMITS, type DeltabaseError, encodeUtf8 } from '@deltabase/base';
import type { GetOptions } from '../src/documents.js';
import { CLIENT_LIMITS } from '../src/limits.js';
import { connectIn, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

/** A client that has two reads open and keeps three waiting, at a node that answers when the test says so. */
async function setUp() {
  const world = new VirtualWorld(1);
  const answers = new Map<string, () => void>();
  /** How long a node is given for each. */
  const timesMs = new Map<string, number>();
  const nodes = new ScriptedNodes(world, [
    {
      call: (_name, request, { timeoutMs }) =>
        new Promise((resolve) => {
          const { key } = request as { key: string };
          timesMs.set(key, timeoutMs);
          answers.set(key, () => resolve({ seq: 1, hash: '', value: encodeUtf8('1') }));
        }),
    },
  ]);
  const limits = { readsInFlightMax: 2, readsWaitingMax: 3 };
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes, limits });
  const told: string[] = [];
  const read = (key: string, options: GetOptions = {}): void => {
    const got = client.document('s', key).get(options);
    got.then(
      () => told.push(key),
      (error: DeltabaseError) => told.push(`${key} ${error.code}: ${error.message}`),
    );
  };
  const asked = (): string => [...answers.keys()].join('');
  /** Lets time pass; what needs none takes none. */
  const pass = async (ms: number): Promise<void> => {
    for (let turns = 0; turns < 3; turns++) await turn();
    await world.run(ms);
    for (let turns = 0; turns < 3; turns++) await turn();
  };
  return { world, client, read, answers, timesMs, asked, told, pass };
}

test('beyond the limit reads wait, and begin in the order of the calls', async () => {
  const { world, client, read, answers, asked, told, pass } = await setUp();
  for (const key of 'abcde') read(key);
  await pass(10);
  assert.equal(asked(), 'ab');
  answers.get('b')!();
  await pass(10);
  assert.equal(asked(), 'abc');
  for (const key of 'ac') answers.get(key)!();
  await pass(10);
  for (const key of 'de') answers.get(key)!();
  await pass(10);
  assert.deepEqual([asked(), told], ['abcde', ['b', 'a', 'c', 'd', 'e']]);
  // The room was given back.
  for (const key of 'fgh') read(key);
  await pass(10);
  assert.equal(asked(), 'abcdefg');
  await settled(world, client.close());
});

test('a read that too many wait before is refused, and says what to do', async () => {
  const { world, client, read, answers, asked, told, pass } = await setUp();
  for (const key of 'abcdef') read(key);
  await pass(10);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^f OVERLOADED: 3 reads of this client wait.*: await answers before/);
  answers.get('a')!();
  await pass(10);
  read('g');
  await pass(10);
  assert.deepEqual([asked(), told.length], ['abc', 2], 'there is room for one more');
  await settled(world, client.close());
});

test('whoever waits for room may give up, waits no longer than its time, and is told of the end', async () => {
  const { world, client, read, answers, asked, told, pass } = await setUp();
  const controller = new AbortController();
  for (const key of 'ab') read(key);
  read('c', { signal: controller.signal });
  read('d', { deadlineMs: 500 });
  read('e');
  await pass(490);
  controller.abort();
  await pass(5);
  assert.deepEqual(told.splice(0), ['c CANCELLED: the caller gave up']);
  await pass(10);
  assert.match(told.splice(0).join(), /^d DEADLINE_EXCEEDED: .* 2 reads of this client were open/);
  read('f', { signal: controller.signal });
  await settled(world, client.close());
  await pass(10);
  assert.equal(asked(), 'ab');
  assert.deepEqual(told.splice(0), [
    'f CANCELLED: the caller gave up',
    'e CANCELLED: the client was closed',
  ]);
  for (const key of 'ab') answers.get(key)!();
  await pass(10);
  read('g');
  await pass(10);
  assert.deepEqual(told, ['a', 'b', 'g CANCELLED: the client was closed']);
});

test('a read has only the time that is left when it begins', async () => {
  const { world, client, read, answers, timesMs, pass } = await setUp();
  for (const key of 'abc') read(key, { deadlineMs: 1000 });
  await pass(900);
  answers.get('a')!();
  await pass(1);
  assert.deepEqual([...timesMs.values()], [1000, 1000, 100]);
  await settled(world, client.close());
});

test('a node begins as many reads of one stream as a client has open', () => {
  assert.equal(CLIENT_LIMITS.readsInFlightMax, DEFAULT_LIMITS.readQueueMax / 8);
});
