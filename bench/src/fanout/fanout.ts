// One document, one writer at a steady pace, many watchers: what it costs to deliver a delta, and how late it is; and
// the same of a key of etcd, in the same run.

import { makePrng } from '@deltabase/base';
import { withBenchCluster } from '../bench-cluster.js';
import {
  type BenchContext,
  type Benchmark,
  cell,
  checksumOf,
  type Measured,
  required,
  round,
  spreadOf,
} from '../harness.js';
import { Arrangement, type Figures, WRITES_PER_SECOND } from './arrangement.js';
import { type EtcdCluster, installedEtcd, withEtcd } from './etcd-cluster.js';
import { WatchedDocument, WatchedKey } from './subjects.js';
import { nthValue, type System, type Watched } from './watched.js';

interface Plan {
  /** Watchers that share the calls of their connections, and then the last as many again with a call each. */
  readonly fleets: readonly number[];
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Of the smallest fleet, as fast as they go. */
  readonly warmWrites: number;
  /** Of each fleet, at the pace that is measured. */
  readonly warmSeconds: number;
}

const FULL: Plan = {
  fleets: [10, 100, 1000],
  connections: 12,
  rounds: 5,
  seconds: 4,
  warmWrites: 20_000,
  warmSeconds: 4,
};
const SMOKE: Plan = {
  fleets: [6],
  connections: 3,
  rounds: 1,
  seconds: 0.3,
  warmWrites: 50,
  warmSeconds: 0.1,
};

const VALUE_CHARACTERS = 100;
/** What we require of the largest fleet, against etcd. */
const CPU_TIMES_LESS = 3;

export const fanout: Benchmark = {
  name: 'fanout',
  question: 'What does it cost to deliver a delta to many watchers, and how late is it?',
  workload:
    `One document of ${VALUE_CHARACTERS} characters, replaced ${WRITES_PER_SECOND} times a second; watchers in one process, over 12 connections to the three ` +
    'nodes. The watches of a connection share one gRPC call (WatchMany), each getting each event; and for the largest number once more with a call each (Watch). ' +
    'Each system is warmed up by 20,000 writes as fast as they go. ' +
    'Lateness: from the writer sending the message until the watcher has the delta. With --peer etcd the same of one key in three nodes of etcd with default ' +
    'options: the same connections, calls shared or not, and gRPC library. All take turns; figures are medians of the rounds, the least and the most behind them.',
  doesNotShow: 'Watchers far away, or slow ones; a network; nodes on cores of their own.',
  async run(context: BenchContext): Promise<Measured> {
    const version = installedEtcd();
    const isWanted = context.peers.includes('etcd');
    if (!isWanted) return measure(context, undefined, []);
    if (version === undefined) {
      return measure(context, undefined, ['etcd is not installed: skipped.']);
    }
    return withEtcd((etcd) => measure(context, etcd, [`Beside etcd ${version}.`]));
  },
};

async function measure(
  context: BenchContext,
  etcd: EtcdCluster | undefined,
  notes: readonly string[],
): Promise<Measured> {
  const plan = context.smoke ? SMOKE : FULL;
  return withBenchCluster({}, async (bench) => {
    await WatchedDocument.deploy(bench);
    const fill = makeFill(context.seed);
    const open: Arrangement[] = [];
    try {
      for (const { watchers, shareStreams } of fleetsOf(plan)) {
        const key = `watched-by-${watchers}-${shareStreams ? 'sharing' : 'apart'}`;
        const fleet = { watchers, shareStreams, connections: plan.connections };
        const subjects: Watched[] = [new WatchedDocument(bench, key)];
        if (etcd !== undefined) subjects.push(new WatchedKey(etcd, key));
        for (const watched of subjects) {
          open.push(await Arrangement.open({ watched, plan: fleet, fill }));
        }
      }
      const found = await takeTurns(context, plan, open);
      const last = nthValue(lastVersion(plan), fill);
      return summarize(context, { plan, open, found, notes, last });
    } finally {
      await Promise.all(open.map((arrangement) => arrangement.close()));
    }
  });
}

function fleetsOf({ fleets }: Plan): { watchers: number; shareStreams: boolean }[] {
  const sharing = fleets.map((watchers) => ({ watchers, shareStreams: true }));
  return [...sharing, { watchers: fleets.at(-1)!, shareStreams: false }];
}

/** Windows of each, by arrangement. */
async function takeTurns(
  { progress }: BenchContext,
  { fleets, rounds, seconds, warmWrites, warmSeconds }: Plan,
  open: readonly Arrangement[],
): Promise<Figures[][]> {
  for (const arrangement of open) {
    if (arrangement.watchers === fleets[0] && arrangement.shareStreams) {
      await arrangement.warmUp(warmWrites);
    }
  }
  for (const arrangement of open) await arrangement.measure(warmSeconds);
  const found = open.map((): Figures[] => []);
  for (let turn = 0; turn < rounds; turn++) {
    for (let place = 0; place < open.length; place++) {
      // Each comes first, second and so on: what one leaves behind meets the next.
      const at = (place + turn) % open.length;
      const figures = await open[at]!.measure(seconds);
      found[at]!.push(figures);
      const said = Object.values(figures).map(round).join(', ');
      progress(`round ${turn + 1}: ${open[at]!.label}: ${said}`);
    }
  }
  return found;
}

interface Found {
  readonly plan: Plan;
  readonly open: readonly Arrangement[];
  readonly found: readonly (readonly Figures[])[];
  readonly notes: readonly string[];
  readonly last: string;
}

function summarize(context: BenchContext, { plan, open, found, notes, last }: Found): Measured {
  return {
    columns: [
      'system',
      'watchers',
      'calls',
      'delivered/s',
      'p50 ms late',
      'p99 ms late',
      "µs of the nodes' CPU a delivery",
      "µs of the watchers' CPU",
    ],
    rows: open.map((arrangement, at) => rowOf(arrangement, found[at]!)),
    notes: [
      ...boundsAgainstEtcd(context, plan, (options) => {
        return found[open.findIndex((arrangement) => arrangement.is(options))];
      }),
      ...notes,
      'Every watcher got every delta, once and in order, and has what the document is. CPU of the nodes: of all three, for everything they did.',
    ],
    checksum: checksumOf(last, ...plan.fleets.map(String)),
  };
}

function rowOf(
  { system, watchers, shareStreams }: Arrangement,
  figures: readonly Figures[],
): (string | number)[] {
  const of = (figure: keyof Figures): string => cell(spreadOf(figures.map((one) => one[figure])));
  const delivered = spreadOf(figures.map(({ deliveredPerSecond }) => deliveredPerSecond)).median;
  return [
    system,
    watchers,
    shareStreams ? 'shared' : 'a watch each',
    round(delivered),
    ...[of('p50Ms'), of('p99Ms'), of('serverUs'), of('clientUs')],
  ];
}

type Find = (wanted: {
  readonly system: System;
  readonly watchers: number;
  readonly shareStreams: boolean;
}) => readonly Figures[] | undefined;

/** Required where calls are shared, which is the better way of both; told of the other. */
function boundsAgainstEtcd(context: BenchContext, { fleets }: Plan, find: Find): string[] {
  const watchers = fleets.at(-1)!;
  const ratioOf = (figure: (of: Figures) => number, shareStreams: boolean): number | undefined => {
    const ours = find({ system: 'deltabase', watchers, shareStreams })!;
    const theirs = find({ system: 'etcd', watchers, shareStreams });
    if (theirs === undefined) return undefined;
    return spreadOf(theirs.map((figures, at) => figure(figures) / figure(ours[at]!))).median;
  };
  const ofNodes = ({ serverUs }: Figures): number => serverUs;
  const ofAll = ({ serverUs, clientUs }: Figures): number => serverUs + clientUs;
  const p99 = ({ p99Ms }: Figures): number => p99Ms;
  const cpu = ratioOf(ofNodes, true);
  const late = ratioOf(p99, true);
  if (cpu === undefined || late === undefined) return [];
  const what = `${watchers.toLocaleString('en-US')} watchers that share calls, beside etcd:`;
  const all = round(ratioOf(ofAll, true)!);
  const further = (['deltabase', 'etcd'] as const).map((system) => {
    const [few, many] = [fleets[0]!, watchers].map((count) => ({
      count,
      rounds: find({ system, watchers: count, shareStreams: true })!,
    }));
    const us = furtherUs(few!, many!);
    return us > 0 ? `${round(us)} µs` : 'less than shows';
  });
  const apart = [ratioOf(ofNodes, false)!, 1 / ratioOf(p99, false)!].map(round);
  return [
    required(context, {
      what: `${what} CPU of the nodes a delivery less by`,
      is: 'at least',
      limit: CPU_TIMES_LESS,
      measured: cpu,
      unit: ' times',
    }),
    required(context, {
      what: `${what} p99`,
      is: 'at most',
      limit: 1,
      measured: 1 / late,
      unit: ' times its',
    }),
    `CPU of nodes and watchers together: less by ${all} times.`,
    `What each watcher beyond the first ${fleets[0]} adds to the CPU of the nodes a delivery: ${further[0]}; etcd: ${further[1]}.`,
    `With a call each: less CPU by ${apart[0]} times, p99 ${apart[1]} times etcd's.`,
  ];
}

interface Fleets {
  /** Watchers. */
  readonly count: number;
  readonly rounds: readonly Figures[];
}

/** What a delivery costs beyond what the write does: the median of the rounds, µs. */
function furtherUs(few: Fleets, many: Fleets): number {
  const aWrite = ({ count, rounds }: Fleets, at: number): number => count * rounds[at]!.serverUs;
  const each = many.rounds.map((_, at) => {
    return (aWrite(many, at) - aWrite(few, at)) / (many.count - few.count);
  });
  return spreadOf(each).median;
}

function lastVersion({ rounds, seconds, warmSeconds }: Plan): number {
  return 1 + (rounds * seconds + warmSeconds) * WRITES_PER_SECOND;
}

function makeFill(seed: number): string {
  const random = makePrng(seed);
  const characters = Array.from({ length: VALUE_CHARACTERS }, () => random.below(36).toString(36));
  return characters.join('');
}
