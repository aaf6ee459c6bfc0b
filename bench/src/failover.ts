// kill -9 of a node under load, again and again: how long the groups that it led answer nothing.

import { makePrng, type Prng } from '@deltabase/base';
import type { Client, DocumentHandle } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster } from '@deltabase/testkit';
import { sleep, withBenchCluster } from './bench-cluster.js';
import { Counters, SPACE } from './counters.js';
import {
  type BenchContext,
  type Benchmark,
  cell,
  type Measured,
  quantile,
  required,
  round,
  spreadOf,
} from './harness.js';
import type { Shot } from './load.js';

const GROUPS = 16;
const WRITERS = 64;
const DOCUMENTS = 500;
/** Answers before each kill, so that it meets a cluster at work. */
const WARM_ANSWERS = 2000;
const WAIT_MS = 60_000;

export const failover: Benchmark = {
  name: 'failover',
  question: 'How long do documents answer nothing when the node that leads them is killed?',
  workload:
    'Three nodes, 16 groups, default timeouts; 64 writers add to 500 counters chosen at random. One node after the other is killed (kill -9) ' +
    'while it leads its share of groups; at that moment a message is sent to a document of each of them, and timed until it is answered. ' +
    'Then the node is started again, and leads its groups again before the next one is killed.',
  doesNotShow:
    'A machine or a network that dies without a word: here the others see connections break.',
  async run(context: BenchContext): Promise<Measured> {
    const runs = context.smoke ? 1 : 20;
    return withBenchCluster({ groups: GROUPS }, async ({ cluster, client }) => {
      const probes = await Counters.deploy(client);
      const writers = new Writers(await Counters.deploy(client), makePrng(context.seed));
      const outages: Outage[] = [];
      for (let run = 0; run < runs; run++) {
        outages.push(await killOne({ cluster, client, probes, writers, run }));
        context.progress(
          `run ${run + 1}: ${outages.at(-1)!.groupsMs.map(Math.round).join(', ')} ms`,
        );
      }
      await writers.stop();
      return { ...summarize(context, outages), checksum: await probes.verify() };
    });
  },
};

/** What one kill did. */
interface Outage {
  /** For each group that the killed node led, until a message to it was answered. */
  readonly groupsMs: readonly number[];
  /** The longest time in which no writer was answered. */
  readonly silenceMs: number;
}

interface Scene {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly probes: Counters;
  readonly writers: Writers;
  readonly run: number;
}

async function killOne({ cluster, client, probes, writers, run }: Scene): Promise<Outage> {
  const victim = 1 + (run % cluster.nodes.length);
  await leadersSettled(cluster, client);
  await writers.answered(WARM_ANSWERS);
  const shots = groupsLedBy(victim, cluster).map((group) =>
    probes.add(probes.document(keyIn(group, run))),
  );
  writers.forgetSilence();
  // Its death is what the clock starts at, not the news of it.
  const gone = cluster.node(victim).stop('SIGKILL');
  const startMs = performance.now();
  const groupsMs = await Promise.all(shots.map((shot) => answeredAfter(shot, startMs)));
  const { silenceMs } = writers;
  await gone;
  await cluster.node(victim).start();
  return { groupsMs, silenceMs };
}

async function answeredAfter({ document, channel, payload }: Shot, startMs: number) {
  await document.send(channel, payload);
  return performance.now() - startMs;
}

/** Groups of documents whose leader a cluster at rest wants this node to be. */
function groupsLedBy(node: number, { nodes }: ProcessCluster): number[] {
  const groups = Array.from({ length: GROUPS }, (_, at) => at + 1);
  return groups.filter((group) => leaderAtRest(group, nodes.length) === node);
}

function leaderAtRest(group: number, nodes: number): number {
  return 1 + (group % nodes);
}

/** A key of a document in a group. */
function keyIn(group: number, run: number): string {
  for (let n = 0; ; n++) {
    const key = `run-${run}-group-${group}-${n}`;
    if (groupOf(SPACE, key, GROUPS) === group) return key;
  }
}

/** Waits until every node is up and says that each group has the leader that it should have. */
async function leadersSettled({ nodes }: ProcessCluster, client: Client): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (performance.now() < endMs) {
    const reports = await client.cluster.nodes();
    const isSettled = reports.every(
      (report) =>
        report.kind === 'status' &&
        report.status.groups.every(
          ({ group, leader }) => leader === leaderAtRest(group, nodes.length),
        ),
    );
    if (isSettled && reports.length === nodes.length) return;
    await sleep(100);
  }
  throw new Error('the leaders did not come to rest');
}

/** Writers that add to counters, a message at a time each, until they are told to stop. */
class Writers {
  readonly #counters: Counters;
  readonly #documents: readonly DocumentHandle[];
  readonly #writing: readonly Promise<void>[];
  #isStopping = false;
  #answers = 0;
  #lastMs = performance.now();
  #silenceMs = 0;

  constructor(counters: Counters, random: Prng) {
    this.#counters = counters;
    this.#documents = Array.from({ length: DOCUMENTS }, (_, n) => counters.document(`load-${n}`));
    this.#writing = Array.from({ length: WRITERS }, (_, writer) =>
      this.#write(random.fork(`writer ${writer}`)),
    );
    // `stop` tells of a failure; it comes later.
    for (const writing of this.#writing) writing.catch(() => {});
  }

  /** The longest time without an answer since it was forgotten, ms; the present one counts. */
  get silenceMs(): number {
    return Math.max(this.#silenceMs, performance.now() - this.#lastMs);
  }

  forgetSilence(): void {
    this.#silenceMs = 0;
  }

  /** Waits for so many answers more. */
  async answered(count: number): Promise<void> {
    const goal = this.#answers + count;
    const endMs = performance.now() + WAIT_MS;
    while (this.#answers < goal) {
      if (performance.now() > endMs) throw new Error('the writers get no answers');
      await sleep(10);
    }
  }

  /** Rejects if any message failed, or did not take effect exactly once. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#writing);
    await this.#counters.verify();
  }

  async #write(random: Prng): Promise<void> {
    while (!this.#isStopping) {
      const target = this.#documents[random.below(DOCUMENTS)]!;
      const { document, channel, payload } = this.#counters.add(target);
      await document.send(channel, payload);
      this.#answers++;
      this.#silenceMs = this.silenceMs;
      this.#lastMs = performance.now();
    }
  }
}

function summarize(context: BenchContext, outages: readonly Outage[]): Omit<Measured, 'checksum'> {
  const each = outages.flatMap(({ groupsMs }) => groupsMs);
  const slowest = outages.map(({ groupsMs }) => Math.max(...groupsMs));
  const silences = outages.map(({ silenceMs }) => silenceMs);
  const rowOf = (what: string, times: readonly number[]): string[] => {
    const sorted = [...times].sort((a, b) => a - b);
    return [what, cell(spreadOf(times)), String(round(quantile(sorted, 0.9)))];
  };
  return {
    columns: ['from the kill', 'median ms', 'nine of ten, ms'],
    rows: [
      rowOf('until a group that it led answers', each),
      rowOf('until all of them do', slowest),
      rowOf('longest time in which no writer was answered', silences),
    ],
    notes: [
      required(context, {
        what: 'from kill -9 of a leader to the first new acknowledgement, median,',
        is: 'at most',
        limit: 1000,
        measured: spreadOf(each).median,
        unit: ' ms',
      }),
      `${outages.length} kills of nodes that led ${each.length} groups together; every message of the writers took effect once.`,
    ],
  };
}
