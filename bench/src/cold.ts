// What idle documents cost: memory once they have left it, and time for the next message to one of them.

import { makePrng } from '@deltabase/base';
import type { Client } from '@deltabase/client';
import type { ProcessCluster } from '@deltabase/testkit';
import { exampleModule, residentBytes, sleep, withBenchCluster } from './bench-cluster.js';
import {
  type BenchContext,
  type Benchmark,
  checksumOf,
  type Measured,
  quantile,
  round,
  spreadOf,
} from './harness.js';
import { runLoad } from './load.js';

const IDLE_MS = 3000;
const SESSIONS = 'flushIntervalMs=1000';

export const cold: Benchmark = {
  name: 'cold',
  question:
    'What do idle documents cost in memory, and how long does the first message to one take?',
  workload:
    'As many messages to 1,000 documents as later to 100,000 others, one each; both times until all have left memory. The difference in ' +
    'resident memory is what the idle documents cost. Then messages and reads go to documents that are not in memory, one at a time.',
  doesNotShow: 'Reads that miss the page cache of the operating system.',
  async run(context: BenchContext): Promise<Measured> {
    const documents = context.smoke ? 500 : 100_000;
    const samples = context.smoke ? 20 : 500;
    const flags = { limits: `idleEvictMs=${IDLE_MS},${SESSIONS}` };
    return withBenchCluster({ flags }, async ({ cluster, client }) => {
      await client.machines.deploy('counter', await exampleModule('counter'));
      const few = Math.min(1000, documents / 10);
      await touch(client, documents, (n) => `few-${n % few}`);
      await allEvicted(client);
      const before = await memory(cluster);
      context.progress('the same messages to few documents are done');
      await touch(client, documents, (n) => `many-${n}`);
      await allEvicted(client);
      const after = await memory(cluster);
      context.progress(`${documents} documents are idle`);
      const random = makePrng(context.seed);
      const keys = Array.from({ length: samples }, () => `many-${random.below(documents)}`);
      const message = await timeEach(keys.slice(0, samples / 2), (key) =>
        client.document('counter', key).send('add', { by: 1 }),
      );
      const read = await timeEach(keys.slice(samples / 2), (key) =>
        client.document('counter', key).get(),
      );
      const megabytes = after.map((bytes, at) => (bytes - before[at]!) / 2 ** 20);
      const { median, max } = spreadOf(megabytes);
      return {
        columns: ['what', 'median', 'worst'],
        rows: [
          [`memory of ${documents} idle documents, MiB a node`, round(median), round(max)],
          ['resident memory of a node then, MiB', ...worst(after.map((bytes) => bytes / 2 ** 20))],
          ['first message to a cold document, ms (p50, p99)', ...message],
          ['read of a cold document, ms (p50, p99)', ...read],
        ],
        notes: ['Memory: over the three nodes.'],
        checksum: checksumOf(...keys),
      };
    });
  },
};

async function touch(client: Client, count: number, keyOf: (n: number) => string): Promise<void> {
  await runLoad(count, 512, (n) => ({
    document: client.document('counter', keyOf(n)),
    channel: 'add',
    payload: { by: 1 },
  }));
}

/** Waits until only the system's own documents are in memory on every node. */
async function allEvicted(client: Client): Promise<void> {
  const { members } = await client.cluster.status();
  for (const { node } of members) {
    for (let wait = 0; ; wait++) {
      const { counters } = await client.cluster.status({ node });
      const resident = counters?.residentDocuments ?? 0;
      if (resident <= 2) break;
      if (wait > 120) throw new Error(`node ${node} keeps ${resident} documents`);
      await sleep(500);
    }
  }
  // Time for a major collection or two.
  await sleep(IDLE_MS);
}

function memory(cluster: ProcessCluster): Promise<number[]> {
  return Promise.all(cluster.nodes.map(({ pid }) => residentBytes(pid!)));
}

async function timeEach(
  keys: readonly string[],
  run: (key: string) => Promise<unknown>,
): Promise<[number, number]> {
  const times: number[] = [];
  for (const key of new Set(keys)) {
    const start = performance.now();
    await run(key);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return [round(quantile(times, 0.5)), round(quantile(times, 0.99))];
}

function worst(values: readonly number[]): [number, number] {
  const { median, max } = spreadOf(values);
  return [round(median), round(max)];
}
