// Handlers that run away, lie and break down, on a real cluster: each costs its own message a documented
// error, its document nothing, other documents nothing, and the nodes no tick (LogicCannotHurtTheHost).

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Client, connect, DeltabaseError, type ErrorCode } from '@deltabase/client';
import type { ProcessCluster } from '@deltabase/testkit';
import { calmOf, leadersSettled } from '../src/calm.js';
import { keysInEachGroup, type NeighbourReport, Neighbours } from '../src/neighbours.js';
import { NodeView } from '../src/node-view.js';
import { exampleModule, withCluster } from '../src/scratch.js';
import { testModule } from '../src/test-machines.js';
import { readText } from '../src/workspace.js';

const GROUPS = 16;
/** Long enough that a busy machine calls no elections; a turn of hostile work takes half a tick. */
const TICK_MS = 100;
const ELECTION_TICKS = 30;
const ELECTION_MS = ELECTION_TICKS * TICK_MS;
/** Messages to each document that burn all the fuel there is, at once: seconds of work for every node. */
const BURST = 8;

/** The channels of test/machines/hostile, and what becomes of a message to each. */
const FAULTS: Readonly<Record<string, ErrorCode>> = {
  loop: 'OUT_OF_FUEL',
  loop_in_host: 'OUT_OF_FUEL',
  shout: 'OUT_OF_FUEL',
  recurse: 'STACK_OVERFLOW',
  memory: 'OUT_OF_MEMORY',
  memory_filled: 'OUT_OF_FUEL',
  trap: 'TRAPPED',
  divide: 'BAD_OUTPUT',
  emit_from_outside: 'BAD_OUTPUT',
  take_to_outside: 'BAD_OUTPUT',
  reply_from_outside: 'BAD_OUTPUT',
  negative_length: 'BAD_OUTPUT',
  patch_of_bytes: 'OUTPUT_TOO_LARGE',
  patch_of_operations: 'OUT_OF_FUEL',
  growing_document: 'DOCUMENT_TOO_LARGE',
  invalid_utf8: 'BAD_OUTPUT',
  invalid_json: 'BAD_OUTPUT',
  invalid_reply: 'BAD_OUTPUT',
  deep_json: 'BAD_OUTPUT',
  missing_path: 'BAD_PATCH',
  malformed_path: 'BAD_PATCH',
  none_such: 'CHANNEL_NOT_FOUND',
};

/** What a refused deployment says. */
const REFUSED: ReadonlyArray<readonly [what: string, module: () => Promise<Uint8Array>, RegExp]> = [
  ['an import outside the ABI', () => testModule('wasi'), /imports "wasi.*may import functions of/],
  ['a start that never ends', () => testModule('endless-start'), /start function .* OUT_OF_FUEL/],
  ['no module at all', async () => Buffer.from('#!/bin/sh'), /not a WebAssembly 1 module/],
  ['half a module', async () => (await exampleModule('counter')).subarray(0, 1500), /./],
  ['a module too large', async () => Buffer.alloc(8 * 2 ** 20 + 1), /8388608 are allowed/],
];

test('hostile handlers on a real cluster', { timeout: 180_000 }, async (t) => {
  await withCluster(
    { groups: GROUPS, flags: { 'tick-ms': TICK_MS, 'election-ticks': ELECTION_TICKS } },
    async (cluster) => {
      const client = await connect({ addresses: cluster.addresses });
      const bench = { cluster, client };
      try {
        await client.machines.deploy('counter', await exampleModule('counter'));
        await client.machines.deploy('hostile', await testModule('hostile'));
        await leadersSettled(cluster);
        await t.test('each kind costs its message an error, and its document nothing', (each) =>
          eachKindFails(each, bench),
        );
        await t.test('seconds of hostile work at once cost nobody a tick', (each) =>
          burstFails(each, bench),
        );
        await t.test('a module that cannot be a machine is refused, and nothing changes', (each) =>
          deploymentsFail(each, bench),
        );
      } finally {
        await client.close({ abandon: true });
      }
    },
  );
});

interface Bench {
  readonly cluster: ProcessCluster;
  readonly client: Client;
}

async function eachKindFails(t: TestContext, bench: Bench): Promise<void> {
  const keys = keysInEachGroup({ space: 'hostile', name: 'each', groups: GROUPS });
  const { longestMs } = await undisturbed(t, bench, async () => {
    await good(bench, keys, 1);
    for (const channel of Object.keys(FAULTS)) {
      await Promise.all(keys.map((key) => fails(bench, key, channel)));
      await good(bench, [keys[0]!], Object.keys(FAULTS).indexOf(channel) + 2);
    }
    await good(bench, keys.slice(1), 2);
  });
  assert.ok(longestMs < ELECTION_MS, `a neighbour waited ${longestMs} ms`);
  const lines = bench.cluster.nodes.flatMap(({ log }) => log);
  assert.ok(
    lines.some((line) => line.includes('"line":"hear me"')),
    'what it shouts is logged',
  );
  await copiesAre(bench, keys[0]!, Object.keys(FAULTS).length + 1);
  for (const key of keys.slice(1)) await copiesAre(bench, key, 2);
}

async function burstFails(t: TestContext, bench: Bench): Promise<void> {
  const keys = keysInEachGroup({ space: 'hostile', name: 'burst', groups: GROUPS });
  await undisturbed(t, bench, async () => {
    await good(bench, keys, 1);
    const channels = ['loop_in_host', 'memory_filled', 'patch_of_bytes'];
    const burst = channels.flatMap((channel) =>
      keys.flatMap((key) => Array.from({ length: BURST }, () => fails(bench, key, channel))),
    );
    await Promise.all([
      ...burst,
      ...Object.keys(FAULTS).map((each) => fails(bench, keys[0]!, each)),
    ]);
    await good(bench, keys, 2);
  });
  for (const key of keys) await copiesAre(bench, key, 2);
}

/** Sends each document the one good message: it counts to `count`, and meets nothing of those before it. */
async function good(bench: Bench, keys: readonly string[], count: number): Promise<void> {
  await Promise.all(keys.map((key) => send(bench, key, 'stain')));
  const replies = await Promise.all(keys.map((key) => send(bench, key, 'count')));
  assert.deepEqual(
    replies,
    keys.map(() => count),
  );
}

/** The document is on every node as so many good messages made it, behind the one that created it. */
async function copiesAre({ cluster }: Bench, key: string, count: number): Promise<void> {
  for (const address of cluster.addresses) {
    const copy = await NodeView.with(address, (view) => view.document('hostile', key, count + 1));
    assert.deepEqual([copy.seq, copy.value], [count + 1, { n: count }]);
  }
}

async function deploymentsFail(t: TestContext, bench: Bench): Promise<void> {
  const { client } = bench;
  const before = await client.machines.list();
  const modules = await Promise.all(REFUSED.map(([, module]) => module()));
  let count = 0;
  await undisturbed(t, bench, async () => {
    for (const [at, [what, , reason]] of REFUSED.entries()) {
      for (const space of ['hostile', 'another']) {
        const error = await client.machines.deploy(space, modules[at]!).then(
          () => assert.fail(`${what} was deployed`),
          (thrown) => thrown,
        );
        assert.ok(error instanceof DeltabaseError, String(error));
        assert.equal(error.code, 'MODULE_INVALID', `${what}: ${error.message}`);
        assert.match(error.message, reason, what);
      }
      await good(bench, ['after-refusals'], ++count);
    }
  });
  assert.deepEqual(await client.machines.list(), before);
}

let runs = 0;

/** Runs `run` beside other documents: leaders, terms and ticks must not notice, nor what neighbours count. */
async function undisturbed(
  t: TestContext,
  { cluster, client }: Bench,
  run: () => Promise<void>,
): Promise<NeighbourReport> {
  const before = await calmOf(cluster);
  const neighbours = new Neighbours(client, { name: `run-${++runs}`, groups: GROUPS });
  const startMs = performance.now();
  const failure = await run().then(
    () => undefined,
    (thrown: unknown) => ({ thrown }),
  );
  const tookMs = performance.now() - startMs;
  const report = await neighbours.stop();
  if (failure !== undefined) throw failure.thrown;
  t.diagnostic(
    `${tookMs.toFixed(0)} ms; ${report.answered} messages to neighbours, ` +
      `median ${report.medianMs.toFixed(1)} ms, longest ${report.longestMs.toFixed(0)} ms`,
  );
  const after = await calmOf(cluster);
  for (const [at, { node, groups, ...now }] of after.entries()) {
    assert.deepEqual(groups, before[at]!.groups, `node ${node}: leaders and terms`);
    // Only a process that is not given a core may miss ticks, and no more than come in that time.
    const missedMs = (now.ticksMissed - before[at]!.ticksMissed) * TICK_MS;
    const waitedMs = now.waitedForCoreMs - before[at]!.waitedForCoreMs;
    t.diagnostic(
      `node ${node}: ticks of ${missedMs} ms missed, ${waitedMs.toFixed(0)} ms without a core`,
    );
    assert.ok(missedMs <= waitedMs, `node ${node} missed ticks of ${missedMs} ms`);
  }
  assert.ok(report.fewest > 0, 'every neighbour was answered meanwhile');
  return report;
}

async function send({ client }: Bench, key: string, channel: string): Promise<unknown> {
  const { reply } = await client.document('hostile', key).send(channel);
  return reply;
}

async function fails(bench: Bench, key: string, channel: string): Promise<void> {
  const error = await send(bench, key, channel).then(
    (reply) => assert.fail(`${channel} replied ${reply}`),
    (thrown) => thrown,
  );
  assert.ok(error instanceof DeltabaseError, String(error));
  assert.equal(error.code, FAULTS[channel], `${channel}: ${error.message}`);
  assert.ok(DOCUMENTED.includes(`| \`${error.code}\` |`) && error.retry === 'never', error.code);
  assert.ok(error.message.length > 0 && !/^Error|undefined|\n/.test(error.message), error.message);
}

const DOCUMENTED = readText('docs/errors.md');
