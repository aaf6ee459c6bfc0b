// Readers hammer one document: what becomes of the messages to it, without replicas and with two of them.

import { type BenchCluster, withBenchCluster } from '../bench-cluster.js';
import { Counters } from '../counters.js';
import { CpuShares } from '../cpu-shares.js';
import {
  type BenchContext,
  type Benchmark,
  type Measured,
  quantile,
  required,
  round,
} from '../harness.js';
import { ELSEWHERE_NICE } from './processes.js';
import { type Phase, type Plan, Storm } from './storm.js';

const FULL: Plan = {
  readers: 200,
  readsAtOnce: 16,
  rate: 50,
  warmMs: 5000,
  idleMs: 10_000,
  stormMs: 20_000,
};
const SMOKE: Plan = {
  readers: 5,
  readsAtOnce: 4,
  rate: 20,
  warmMs: 500,
  idleMs: 1000,
  stormMs: 2000,
};
/** Of a core, for each server: five of them and the readers find room on two. */
const SERVER_SHARE = 0.3;
/** When the leader's share must be small, ms after the storm has begun; and from when on it is measured. */
const SETTLED_MS = 5000;
const SHARE_MAX = 0.1;
const P99_MAX = 1.3;

export const readStorm: Benchmark = {
  name: 'read-storm',
  question:
    'What becomes of the messages to a document that 200 readers hammer, without replicas and with two?',
  workload:
    `One counter, ${FULL.rate} messages a second; ${FULL.readers} readers that read it linearizably, ${FULL.readsAtOnce} reads in a frame (GetMany), the next frame as soon as they have their answers. Readers (one process, a connection each, bare gRPC) and ` +
    `replicas run at nice ${ELSEWHERE_NICE}: in earnest they are on other machines. Nobody touches anything: readers go where answers say that copies are. Then all once more on a second cluster, each server held to ${SERVER_SHARE} of a core ` +
    '(control groups), as if it had a small machine of its own: there more servers can mean more reads, and whatever has to wait waits for its share.',
  doesNotShow: 'A network; servers with whole cores of their own.',
  async run(context: BenchContext): Promise<Measured> {
    const shared = await withBenchCluster({}, (bench) => measure(context, bench, undefined));
    const shares = CpuShares.open(SERVER_SHARE);
    try {
      const held =
        shares && (await withBenchCluster({}, (bench) => measure(context, bench, shares)));
      return summarize(context, shared, held);
    } finally {
      shares?.close();
    }
  },
};

/** One storm, and what it left. */
interface Found {
  readonly storm: Storm;
  readonly idle: Phase;
  readonly alone: Phase;
  readonly calm: Phase;
  readonly helped: Phase;
  readonly checksum: string;
}

async function measure(
  context: BenchContext,
  { cluster, client }: BenchCluster,
  shares: CpuShares | undefined,
): Promise<Found> {
  const plan = context.smoke ? SMOKE : FULL;
  const counters = await Counters.deploy(client);
  const storm = new Storm(cluster, client, counters, { plan, shares });
  await storm.phase('warming up', plan.warmMs, true);
  storm.holdNodes();
  const said = (phase: Phase): Phase => {
    context.progress(`${phase.name}: ${storm.describe(phase)}`);
    return phase;
  };
  const idle = said(await storm.phase('idle', plan.idleMs, false));
  const alone = said(await storm.phase('readers, no replicas', plan.stormMs, true));
  await storm.startReplicas();
  const calm = said(await storm.phase('replicas, idle', plan.idleMs, false));
  const helped = said(await storm.phase('readers, replicas', plan.stormMs, true));
  return { storm, idle, alone, calm, helped, checksum: await counters.verify() };
}

function summarize(context: BenchContext, shared: Found, held: Found | undefined): Measured {
  return {
    columns: ['cores', 'phase', 'messages p50 ms', 'p99 ms', 'reads/s', "leader's share of them"],
    rows: [
      ...rowsOf('two for all', shared),
      ...(held === undefined ? [] : rowsOf(`${SERVER_SHARE} each`, held)),
    ],
    notes: [...boundsOf(context, shared), boundOnReads(context, held), readsNote(shared)],
    checksum: shared.checksum,
    files: { 'read-storm.svg': shared.storm.svg() },
  };
}

function rowsOf(cores: string, { storm, idle, alone, calm, helped }: Found): (string | number)[][] {
  return [idle, alone, calm, helped].map((phase) => {
    const { leader, total, perSecond } = storm.between(phase.startedMs, phase.endedMs);
    const share = total === 0 ? '' : `${round((100 * leader) / total)} %`;
    const [p50, p99] = [0.5, 0.99].map((q) => round(quantile(phase.writesMs, q)));
    return [cores, phase.name, p50!, p99!, total === 0 ? 0 : round(perSecond), share];
  });
}

/** From when on a storm with replicas has settled. */
function settledMs({ helped }: Found): number {
  return helped.startedMs + SETTLED_MS;
}

function boundsOf(context: BenchContext, found: Found): string[] {
  const { storm, idle } = found;
  const from = settledMs(found);
  const { leader, total } = storm.between(from, Infinity);
  const helpedMs = quantile(storm.writesBetween(from, Infinity), 0.99);
  return [
    required(context, {
      what: `the leader's share of all reads from ${SETTLED_MS / 1000} s after the storm began, with replicas,`,
      is: 'at most',
      limit: SHARE_MAX * 100,
      measured: (leader / total) * 100,
      unit: ' %',
    }),
    required(context, {
      what: 'p99 of messages from then on, as a multiple of that without readers,',
      is: 'at most',
      limit: P99_MAX,
      measured: helpedMs / quantile(idle.writesMs, 0.99),
      unit: ' times',
    }),
  ];
}

/** Reads with replicas once that has settled, as a multiple of those without. */
function readsTimes(found: Found): number {
  const { storm, alone } = found;
  const before = storm.between(alone.startedMs, alone.endedMs).perSecond;
  return storm.between(settledMs(found), Infinity).perSecond / before;
}

function readsNote(shared: Found): string {
  return `Where all share two cores it is ${round(readsTimes(shared))} times.`;
}

/** Where all share two cores, readers too, there is nothing that more servers could bring. */
function boundOnReads(context: BenchContext, held: Found | undefined): string {
  if (held === undefined) {
    return 'No control groups here, or not for us: servers with cores of their own were not measured.';
  }
  return required(context, {
    what: `${SERVER_SHARE} of a core for each server: reads a second from ${SETTLED_MS / 1000} s on, as a multiple of those without replicas,`,
    is: 'at least',
    limit: 1,
    measured: readsTimes(held),
    unit: ' times',
  });
}
