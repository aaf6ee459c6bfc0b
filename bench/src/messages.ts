// Durable messages a second, and their latency, on a real cluster of three nodes, beside what bare LevelDB and
// bare gRPC do on the same machine in the same run.

import { makePrng } from '@deltabase/base';
import type { DocumentHandle } from '@deltabase/client';
import { BareGrpc } from './bare-grpc.js';
import { BareLevel } from './bare-level.js';
import { withBenchCluster } from './bench-cluster.js';
import { Counters } from './counters.js';
import {
  type BenchContext,
  type Benchmark,
  cell,
  type Measured,
  quantile,
  required,
  spreadOf,
} from './harness.js';
import { type LoadResult, runLoad, type Shot } from './load.js';

const IN_FLIGHT = [64, 256, 1024];

export const messages: Benchmark = {
  name: 'messages',
  question: 'How many messages a second are made durable, and how long does one take?',
  workload:
    'Three nodes, 16 groups, everything with the client on one machine. Each message runs the counter of examples/ (AssemblyScript) and is ' +
    'answered when its delta is synced on two nodes. Distinct: 10,000 documents chosen at random; hot: one document. One message in flight takes ' +
    'turns with bare synced puts and bare unary calls, so that a change of the machine meets all three.',
  doesNotShow:
    'A network, or disks of their own: all processes share two cores and one disk, the load generator included.',
  run: measureMessages,
};

interface Plan {
  readonly runs: number;
  readonly documents: number;
  readonly warmUpRounds: number;
  /** Messages of one run. */
  count(inFlight: number): number;
  /** Messages, puts and calls of one run, one after the other. */
  readonly single: number;
  readonly batches: number;
  readonly streamed: number;
}

const FULL: Plan = {
  runs: 5,
  documents: 10_000,
  warmUpRounds: 5,
  count: (inFlight) => 300 * Math.min(inFlight, 256) + 100 * inFlight,
  single: 1000,
  batches: 200,
  streamed: 50_000,
};
const SMOKE: Plan = {
  runs: 1,
  documents: 50,
  warmUpRounds: 1,
  count: () => 200,
  single: 20,
  batches: 5,
  streamed: 1000,
};

/** What one run of something gave; nothing where there is no such figure. */
interface Run {
  readonly perSecond: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

/** Runs of the same thing. */
interface Series {
  readonly what: string;
  readonly inFlight: string | number;
  readonly runs: Run[];
}

function measureMessages(context: BenchContext): Promise<Measured> {
  return BareLevel.with((level) =>
    BareGrpc.with(async (grpc) => {
      const plan = context.smoke ? SMOKE : FULL;
      const ceilings = await measureCeilings(plan, level, grpc);
      context.progress('bare LevelDB and bare gRPC are measured');
      return withBenchCluster({}, async ({ client }) => {
        const counters = await Counters.deploy(client);
        const random = makePrng(context.seed);
        const distinct = Array.from({ length: plan.documents }, (_, n) =>
          counters.document(`document-${n}`),
        );
        await runLoad(plan.warmUpRounds * plan.documents, 512, (n) =>
          counters.add(distinct[n % distinct.length]!),
        );
        const oneOf = (documents: readonly DocumentHandle[]) => (): Shot =>
          counters.add(documents[random.below(documents.length)]!);
        const single = await measureSingle(plan, { level, grpc, next: oneOf(distinct) });
        context.progress('one message in flight is measured');
        const loads: Series[] = [];
        for (const [what, documents] of [
          ['distinct', distinct],
          ['hot', distinct.slice(0, 1)],
        ] as const) {
          for (const inFlight of IN_FLIGHT) {
            const runs = await measureLoad(plan, inFlight, oneOf(documents));
            loads.push({ what, inFlight, runs });
            context.progress(rowOf(loads.at(-1)!).join(', '));
          }
        }
        const checksum = await counters.verify();
        return { ...summarize(context, single, loads, ceilings), checksum };
      });
    }),
  );
}

/** What can be measured with nothing else running. */
async function measureCeilings(plan: Plan, level: BareLevel, grpc: BareGrpc): Promise<Series[]> {
  const { batches } = plan;
  const puts: Run[] = [];
  const packed: Run[] = [];
  const streamed: Run[] = [];
  for (let run = 0; run < plan.runs; run++) {
    const rate = async (perSecond: Promise<number>): Promise<Run> => ({
      perSecond: await perSecond,
    });
    puts.push(await rate(level.recordsPerSecond({ batches, values: 256, recordsPerValue: 1 })));
    packed.push(await rate(level.recordsPerSecond({ batches, values: 16, recordsPerValue: 64 })));
    streamed.push(await rate(grpc.streamPerSecond(plan.streamed)));
  }
  return [
    { what: 'bare LevelDB, synced', inFlight: '256 puts', runs: puts },
    { what: 'bare LevelDB, synced', inFlight: '16 x 64 packed', runs: packed },
    { what: 'bare grpc-js', inFlight: '256 on a stream', runs: streamed },
  ];
}

interface Single {
  readonly message: Series;
  readonly put: Series;
  readonly unary: Series;
  readonly stream: Series;
}

/** One message at a time, in turns with what it is compared to. */
async function measureSingle(
  plan: Plan,
  { level, grpc, next }: { level: BareLevel; grpc: BareGrpc; next: () => Shot },
): Promise<Single> {
  const single: Single = {
    message: { what: 'distinct', inFlight: 1, runs: [] },
    put: { what: 'bare LevelDB, synced', inFlight: '1 put', runs: [] },
    unary: { what: 'bare grpc-js', inFlight: '1 unary', runs: [] },
    stream: { what: 'bare grpc-js', inFlight: '1 on a stream', runs: [] },
  };
  for (let run = 0; run < plan.runs; run++) {
    single.message.runs.push(await runLoad(plan.single, 1, next));
    single.put.runs.push(oneByOne(await level.timePuts(plan.single)));
    single.unary.runs.push(oneByOne(await grpc.timeUnary(plan.single)));
    single.stream.runs.push(oneByOne(await grpc.timeStream(plan.single)));
  }
  return single;
}

function oneByOne(timesMs: readonly number[]): Run {
  const sorted = [...timesMs].sort((a, b) => a - b);
  const sumMs = timesMs.reduce((sum, ms) => sum + ms, 0);
  return {
    perSecond: (1000 * timesMs.length) / sumMs,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
}

async function measureLoad(plan: Plan, inFlight: number, next: () => Shot): Promise<LoadResult[]> {
  const results: LoadResult[] = [];
  for (let run = 0; run < plan.runs; run++) {
    results.push(await runLoad(plan.count(inFlight), inFlight, next));
  }
  return results;
}

function summarize(
  context: BenchContext,
  { message, put, unary, stream }: Single,
  loads: readonly Series[],
  ceilings: readonly Series[],
): Omit<Measured, 'checksum'> {
  const rateOf = (what: string): number => {
    const { runs } = loads.find((series) => series.what === what && series.inFlight === 1024)!;
    return spreadOf(runs.map(({ perSecond }) => perSecond)).median;
  };
  const ratios = message.runs.map(
    ({ p50Ms }, run) => p50Ms! / (put.runs[run]!.p50Ms! + unary.runs[run]!.p50Ms!),
  );
  return {
    columns: ['documents', 'in flight', 'messages/s', 'p50 ms', 'p99 ms'],
    rows: [message, ...loads, put, ...ceilings.slice(0, 2), unary, stream, ceilings[2]!].map(rowOf),
    notes: [
      required(context, {
        what: 'distinct documents, 1024 in flight,',
        is: 'at least',
        limit: 40_000,
        measured: rateOf('distinct'),
        unit: ' messages/s',
      }),
      required(context, {
        what: 'one hot document, 1024 in flight,',
        is: 'at least',
        limit: 25_000,
        measured: rateOf('hot'),
        unit: ' messages/s',
      }),
      required(context, {
        what: 'one message in flight, p50,',
        is: 'at most',
        limit: 2,
        measured: spreadOf(ratios).median,
        unit: ' times a bare synced put and a bare unary call together',
      }),
      'Medians of five runs, the least and the most behind them.',
    ],
  };
}

function rowOf({ what, inFlight, runs }: Series): (string | number)[] {
  const figures = (['perSecond', 'p50Ms', 'p99Ms'] as const).map((kind) => {
    const values = runs.flatMap((run) => run[kind] ?? []);
    return values.length === 0 ? '' : cell(spreadOf(values));
  });
  return [what, inFlight, ...figures];
}
