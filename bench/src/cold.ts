// What idle documents cost: memory once they have left it, and time for the next message to one of them.

import { makePrng } from '@deltabase/base';
import type { Client } from '@deltabase/client';
import type { ProcessCluster } from '@deltabase/testkit';
import { residentBytes, sleep, withBenchCluster } from './bench-cluster.js';
import { Counters } from './counters.js';
import {
  type BenchContext,
  type Benchmark,
  type Measured,
  quantile,
  required,
  round,
  spreadOf,
} from './harness.js';
import { runLoad } from './load.js';

interface Plan {
  readonly documents: number;
  /** Cold documents that get a message, and as many others that are read. */
  readonly samples: number;
  /** Memory counts as settled when it has not fallen for so long. */
  readonly settleMs: number;
}

const FULL: Plan = { documents: 100_000, samples: 250, settleMs: 15_000 };
const SMOKE: Plan = { documents: 500, samples: 10, settleMs: 500 };

const MIB = 2 ** 20;
const MEGABYTE = 1e6;
const IN_FLIGHT = 512;
/** Only what the system keeps about itself. */
const RESIDENT_MAX = 2;

export const cold: Benchmark = {
  name: 'cold',
  question:
    'What do idle documents cost in memory, and how long does the first message to one take?',
  workload:
    'Counters. As many messages to 1,000 documents as later to 100,000 others, one each; both times until all have left the memory of every ' +
    'node and its resident memory falls no further. The difference is what the idle documents cost. Then messages to some of them, and reads ' +
    'of others, one at a time, none of them in memory; and the same again, now that they are.',
  doesNotShow:
    'Reads that miss the page cache of the operating system; documents with a long tail of deltas or a large state, which take longer to load.',
  async run(context: BenchContext): Promise<Measured> {
    const plan = context.smoke ? SMOKE : FULL;
    const flags = { limits: 'idleEvictMs=3000,flushIntervalMs=1000' };
    return withBenchCluster({ flags }, async ({ cluster, client }) => {
      const counters = await Counters.deploy(client);
      const settled = (): Promise<number[]> => settledMemory(cluster, client, plan.settleMs);
      const few = Math.min(1000, plan.documents / 10);
      const fresh = await settled();
      await touch(counters, plan.documents, (n) => `few-${n % few}`);
      const before = await settled();
      context.progress('the same messages to few documents are done');
      await touch(counters, plan.documents, (n) => `many-${n}`);
      const after = await settled();
      context.progress(`${plan.documents} documents are idle`);
      const keys = sample(plan, context.seed);
      const latencies = await timeColdAndWarm(counters, keys);
      context.progress('cold documents are measured');
      const checksum = await counters.verify();
      return { ...summarize(context, plan, { fresh, before, after }, latencies), checksum };
    });
  },
};

async function touch(
  counters: Counters,
  count: number,
  keyOf: (n: number) => string,
): Promise<void> {
  await runLoad(count, IN_FLIGHT, (n) => counters.add(counters.document(keyOf(n))));
}

/** Resident memory of each node once no document is in it and it has stopped to fall. */
async function settledMemory(
  cluster: ProcessCluster,
  client: Client,
  settleMs: number,
): Promise<number[]> {
  await allEvicted(client);
  const least = await memory(cluster);
  let fellMs = performance.now();
  while (performance.now() - fellMs < settleMs) {
    await sleep(250);
    for (const [at, bytes] of (await memory(cluster)).entries()) {
      // A page more or less does not count.
      if (bytes < least[at]! - MIB) fellMs = performance.now();
      least[at] = Math.min(least[at]!, bytes);
    }
  }
  return least;
}

/** Waits until only the system's own documents are in memory on every node. */
async function allEvicted(client: Client): Promise<void> {
  const { members } = await client.cluster.status();
  for (const { node } of members) {
    for (let wait = 0; ; wait++) {
      const resident = await residentDocuments(client, node);
      if (resident <= RESIDENT_MAX) break;
      if (wait > 240) throw new Error(`node ${node} keeps ${resident} documents`);
      await sleep(500);
    }
  }
}

async function residentDocuments(client: Client, node: number): Promise<number> {
  const { counters } = await client.cluster.status({ node });
  if (counters === null) throw new Error(`node ${node} tells no counters`);
  return counters.residentDocuments;
}

function memory(cluster: ProcessCluster): Promise<number[]> {
  return Promise.all(cluster.nodes.map(({ pid }) => residentBytes(pid!)));
}

interface Keys {
  readonly sent: readonly string[];
  readonly read: readonly string[];
}

/** Distinct keys: a document is cold once. */
function sample({ documents, samples }: Plan, seed: number): Keys {
  const random = makePrng(seed);
  const drawn = new Set<number>();
  while (drawn.size < 2 * samples) drawn.add(random.below(documents));
  const keys = [...drawn].map((n) => `many-${n}`);
  return { sent: keys.slice(0, samples), read: keys.slice(samples) };
}

/** Times, ms, sorted. */
interface Latencies {
  readonly coldSend: readonly number[];
  readonly coldRead: readonly number[];
  readonly warmSend: readonly number[];
  readonly warmRead: readonly number[];
}

async function timeColdAndWarm(counters: Counters, { sent, read }: Keys): Promise<Latencies> {
  const send = async (key: string): Promise<void> => {
    const { document, channel, payload } = counters.add(counters.document(key));
    await document.send(channel, payload);
  };
  const get = (key: string): Promise<unknown> => counters.document(key).get();
  return {
    coldSend: await timeEach(sent, send),
    coldRead: await timeEach(read, get),
    warmSend: await timeEach(sent, send),
    warmRead: await timeEach(read, get),
  };
}

async function timeEach(
  keys: readonly string[],
  run: (key: string) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (const key of keys) {
    const start = performance.now();
    await run(key);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

interface Memory {
  readonly fresh: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function summarize(
  context: BenchContext,
  { documents }: Plan,
  { fresh, before, after }: Memory,
  latencies: Latencies,
): Omit<Measured, 'checksum'> {
  const count = documents.toLocaleString('en-US');
  const cost = spreadOf(after.map((bytes, at) => bytes - before[at]!));
  const sinceStart = spreadOf(after.map((bytes, at) => bytes - fresh[at]!));
  const memoryRow = (what: string, values: readonly number[]): (string | number)[] => {
    const { median, max } = spreadOf(values.map((bytes) => bytes / MEGABYTE));
    return [what, round(median), round(max)];
  };
  const timeRow = (what: string, times: readonly number[]): (string | number)[] => [
    what,
    round(quantile(times, 0.5)),
    round(quantile(times, 0.99)),
  ];
  const bound = (what: string, limit: number, measured: number, unit: string): string =>
    required(context, { what, is: 'at most', limit, measured, unit });
  return {
    columns: ['what', 'median', 'worst, or p99'],
    rows: [
      memoryRow('a node before any document, MB', fresh),
      memoryRow('a node after the messages to few documents, MB', before),
      memoryRow(`a node after ${count} documents more, all idle, MB`, after),
      timeRow('message to a cold document, ms', latencies.coldSend),
      timeRow('message to a warm document, ms', latencies.warmSend),
      timeRow('read of a cold document, ms', latencies.coldRead),
      timeRow('read of a warm document, ms', latencies.warmRead),
    ],
    notes: [
      bound(`memory of ${count} idle documents on the worst node`, 100, cost.max / MEGABYTE, ' MB'),
      bound('a message to a cold document', 5, quantile(latencies.coldSend, 0.5), ' ms (median)'),
      bound('a read of a cold document', 5, quantile(latencies.coldRead, 0.5), ' ms (median)'),
      `Since it started the worst node grew by ${round(sinceStart.max / MEGABYTE)} MB in all, code, caches and log included.`,
    ],
  };
}
