// Durable messages a second, and their latency, on a real cluster of three nodes, beside what bare LevelDB and
// bare gRPC do on the same machine in the same run.

import { makePrng } from '@deltabase/base';
import type { DocumentHandle } from '@deltabase/client';
import { measureGrpc } from './bare-grpc.js';
import { measureLevel } from './bare-level.js';
import { type BenchCluster, exampleModule, withBenchCluster } from './bench-cluster.js';
import {
  type BenchContext,
  type Benchmark,
  cell,
  checksumOf,
  type Measured,
  round,
  spreadOf,
} from './harness.js';
import { type LoadResult, runLoad } from './load.js';

const IN_FLIGHT = [1, 64, 256, 1024];
const DOCUMENTS = 10_000;

export const messages: Benchmark = {
  name: 'messages',
  question: 'How many messages a second are made durable, and how long does one take?',
  workload:
    'Three nodes, 16 groups, everything with the client on one machine. Each message runs the counter of examples/ (AssemblyScript) and is ' +
    'answered when its delta is synced on two nodes. Distinct: 10,000 documents chosen at random; hot: one document.',
  doesNotShow:
    'A network, or disks of their own: all processes share two cores and one disk, the load generator included.',
  run: measureMessages,
};

interface Plan {
  readonly runs: number;
  readonly documents: number;
  count(inFlight: number): number;
}

const FULL: Plan = {
  runs: 5,
  documents: DOCUMENTS,
  count: (inFlight) => (inFlight === 1 ? 1500 : 300 * Math.min(inFlight, 256) + 100 * inFlight),
};
const SMOKE: Plan = { runs: 1, documents: 50, count: (inFlight) => Math.min(200, 50 * inFlight) };

async function measureMessages(context: BenchContext): Promise<Measured> {
  const plan = context.smoke ? SMOKE : FULL;
  const level = await measureLevel(context);
  const grpc = await measureGrpc(context);
  const sent = new Map<string, number>();
  const rows: (string | number)[][] = [];
  const medians = new Map<string, LoadResult>();
  await withBenchCluster({}, async (bench) => {
    await bench.client.machines.deploy('counter', await exampleModule('counter'));
    const random = makePrng(context.seed);
    const distinct = documentsOf(bench, plan.documents);
    await warmUp(distinct, sent);
    for (const [kind, documents] of [
      ['distinct', distinct],
      ['hot', distinct.slice(0, 1)],
    ] as const) {
      for (const inFlight of IN_FLIGHT) {
        const results: LoadResult[] = [];
        for (let run = 0; run < plan.runs; run++) {
          const next = () => count(sent, documents[random.below(documents.length)]!);
          results.push(await runLoad(plan.count(inFlight), inFlight, next));
        }
        const row = summarize(results);
        medians.set(`${kind} ${inFlight}`, row.median);
        rows.push([kind, inFlight, ...row.cells]);
        context.progress(`${kind}, ${inFlight} in flight: ${row.cells.join(', ')}`);
      }
    }
    await verify(bench, sent);
  });
  rows.push([
    'bare LevelDB, synced',
    '1 put',
    round(1000 / level.putP50Ms),
    round(level.putP50Ms),
    round(level.putP99Ms),
  ]);
  rows.push(['bare LevelDB, synced', '256 puts', round(level.putsPerSecond), '', '']);
  rows.push(['bare LevelDB, synced', '16 x 64 packed', round(level.packedPerSecond), '', '']);
  rows.push(['bare grpc-js', '1 unary', round(1000 / grpc.unaryP50Ms), round(grpc.unaryP50Ms), '']);
  rows.push([
    'bare grpc-js',
    '1 on a stream',
    round(1000 / grpc.streamP50Ms),
    round(grpc.streamP50Ms),
    '',
  ]);
  rows.push(['bare grpc-js', '256 on a stream', round(grpc.streamPerSecond), '', '']);
  const bare = level.putP50Ms + grpc.unaryP50Ms;
  const one = medians.get('distinct 1')!.p50Ms;
  return {
    columns: ['documents', 'in flight', 'messages/s', 'p50 ms', 'p99 ms'],
    rows,
    notes: [
      `One message in flight takes ${round(one)} ms at the median: ${round(one / bare)} times a bare synced put and a bare unary call together.`,
      'Medians of five runs, the least and the most behind them.',
    ],
    checksum: checksumOf(...[...sent].sort().map(([key, times]) => `${key} ${times}`)),
  };
}

function documentsOf({ client }: BenchCluster, count: number): DocumentHandle[] {
  return Array.from({ length: count }, (_, n) => client.document('counter', `document-${n}`));
}

/** Touches every document, and lets the machines' code get compiled for good. */
async function warmUp(
  documents: readonly DocumentHandle[],
  sent: Map<string, number>,
): Promise<void> {
  const rounds = documents.length > 100 ? 5 : 1;
  await runLoad(rounds * documents.length, 512, (n) =>
    count(sent, documents[n % documents.length]!),
  );
}

function count(sent: Map<string, number>, document: DocumentHandle) {
  sent.set(document.key, (sent.get(document.key) ?? 0) + 1);
  return { document, channel: 'add', payload: { by: 1 } };
}

/** Every message took effect once: the counters say how many there were. */
async function verify({ client }: BenchCluster, sent: ReadonlyMap<string, number>): Promise<void> {
  const keys = [...sent.keys()];
  const sample = keys.filter((_, at) => at % Math.ceil(keys.length / 200) === 0);
  await Promise.all(
    sample.map(async (key) => {
      const { value } = await client.document('counter', key).get<{ n: number }>();
      if (value.n !== sent.get(key))
        throw new Error(`${key} counts ${value.n}, not ${sent.get(key)}`);
    }),
  );
}

function summarize(results: readonly LoadResult[]): { cells: string[]; median: LoadResult } {
  const perSecond = spreadOf(results.map((result) => result.perSecond));
  const p50Ms = spreadOf(results.map((result) => result.p50Ms));
  const p99Ms = spreadOf(results.map((result) => result.p99Ms));
  return {
    cells: [perSecond, p50Ms, p99Ms].map(cell),
    median: { perSecond: perSecond.median, p50Ms: p50Ms.median, p99Ms: p99Ms.median },
  };
}
