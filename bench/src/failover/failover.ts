// Leaders that go under load, again and again, by kill -9 and by a planned transfer: how long nothing is answered.

import { makePrng } from '@deltabase/base';
import { withBenchCluster } from '../bench-cluster.js';
import { Counters } from '../counters.js';
import {
  type BenchContext,
  type Benchmark,
  cell,
  type Measured,
  quantile,
  required,
  round,
  spreadOf,
} from '../harness.js';
import { killOne, leadersSettled, type Outage } from './kills.js';
import { type Handover, transferOne } from './transfers.js';
import { Writers } from './writers.js';

const GROUPS = 16;
/** Of each writer while groups are handed over under load: some 600 messages a second. */
const REST_MS = 100;

export const failover: Benchmark = {
  name: 'failover',
  question: 'How long do documents answer nothing when their leader is killed, or hands over?',
  workload:
    'Three nodes, 16 groups, default timeouts; 64 writers add to 500 counters chosen at random. One node after the other is killed (kill -9) ' +
    'while it leads its share of groups; at that moment a message is sent to a document of each of them, and timed until it is answered. ' +
    'Then the node is started again, and leads its groups again before the next one is killed. After that one group after the other is handed to ' +
    'another node (deltabase cluster transfer), beside the writers, which rest for about 100 ms behind each message (some 600 messages a second), and once more when they have ended. A client of its own writes to the group all the time, a message ' +
    'at a time, and the longest that one of them waits is taken: in a second without a transfer, then from the call until a second after its end.',
  doesNotShow:
    'A machine or a network that dies without a word: here the others see connections break.',
  async run(context: BenchContext): Promise<Measured> {
    const runs = context.smoke ? 1 : 20;
    return withBenchCluster({ groups: GROUPS }, async ({ cluster, client }) => {
      const probes = await Counters.deploy(client);
      const counters = await Counters.deploy(client);
      const writers = new Writers(counters, makePrng(context.seed));
      const scene = { cluster, client, groups: GROUPS, probes, writers };
      const outages: Outage[] = [];
      for (let run = 0; run < runs; run++) {
        outages.push(await killOne(scene, run));
        const { groupsMs } = outages.at(-1)!;
        context.progress(`kill ${run + 1}: ${groupsMs.map(Math.round).join(', ')} ms`);
      }
      await leadersSettled(cluster, client);
      writers.rest(REST_MS);
      const handOver = async (when: string): Promise<Handover[]> => {
        const handovers: Handover[] = [];
        for (let run = 0; run < runs; run++) {
          handovers.push(await transferOne(scene, run));
          const { waitMs, usualMs } = handovers.at(-1)!;
          const ordinal = `transfer ${when} ${run + 1}`;
          context.progress(`${ordinal}: ${round(waitMs)} ms, without ${round(usualMs)}`);
        }
        return handovers;
      };
      const underLoad = await handOver('under load');
      await writers.stop();
      const alone = await handOver('alone');
      const summary = summarize(context, { outages, underLoad, alone });
      return { ...summary, checksum: await probes.verify() };
    });
  },
};

interface Found {
  readonly outages: readonly Outage[];
  readonly underLoad: readonly Handover[];
  readonly alone: readonly Handover[];
}

function summarize(
  context: BenchContext,
  { outages, underLoad, alone }: Found,
): Omit<Measured, 'checksum'> {
  const each = outages.flatMap(({ groupsMs }) => groupsMs);
  const slowest = outages.map(({ groupsMs }) => Math.max(...groupsMs));
  return {
    columns: ['', 'median ms', 'nine of ten, ms'],
    rows: [
      rowOf('kill -9: until a group that it led answers', each),
      rowOf('until all of them do', slowest),
      rowOf(
        'longest time in which no writer was answered',
        outages.map(({ silenceMs }) => silenceMs),
      ),
      ...transferRows('planned transfer: longest that a message to the group waited', alone),
      ...transferRows('planned transfer beside 600 messages a second', underLoad),
    ],
    notes: [
      required(context, {
        what: 'from kill -9 of a leader to the first new acknowledgement, median,',
        is: 'at most',
        limit: 1000,
        measured: spreadOf(each).median,
        unit: ' ms',
      }),
      required(context, {
        what: 'the longest that a message waited on any planned transfer,',
        is: 'at most',
        limit: 100,
        measured: Math.max(...alone.map(({ waitMs }) => waitMs)),
        unit: ' ms',
      }),
      `${outages.length} kills of nodes that led ${each.length} groups together, ${alone.length + underLoad.length} transfers; every message of the writers took effect once.`,
    ],
  };
}

function transferRows(what: string, handovers: readonly Handover[]): string[][] {
  const waits = rowOf(
    what,
    handovers.map(({ waitMs }) => waitMs),
  );
  const usual = rowOf(
    'the same without a transfer',
    handovers.map(({ usualMs }) => usualMs),
  );
  return [waits, usual];
}

function rowOf(what: string, times: readonly number[]): string[] {
  const sorted = [...times].sort((a, b) => a - b);
  return [what, cell(spreadOf(times)), String(round(quantile(sorted, 0.9)))];
}
