// What one message costs as its document grows: it must be what it reads and emits (CostIsTheDelta).

import { makePrng, type Prng } from '@deltabase/base';
import type { Client, DocumentHandle } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import { type BenchCluster, benchModule, cpuSeconds, withBenchCluster } from './bench-cluster.js';
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
import { runLoad, type Shot } from './load.js';
import { checksumOfDocuments, readBack } from './read-back.js';

const SPACE = 'keys';
/** Members that one message adds: its fuel is bounded. */
const FILL = 1000;
const IN_FLIGHT = 256;

interface Plan {
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Of each document in each round: with many in flight, and one at a time. */
  readonly messages: number;
  readonly single: number;
}

const FULL: Plan = {
  sizes: [10, 1000, 100_000, 1_000_000],
  rounds: 24,
  messages: 15_000,
  single: 400,
};
const SMOKE: Plan = { sizes: [10, 1000], rounds: 1, messages: 100, single: 10 };

export const documentSize: Benchmark = {
  name: 'document-size',
  question: 'Does the cost of a message grow with the document?',
  workload:
    'One document for each size, an object with that many numbers; all in one group, so that one node leads all. Each message reads a ' +
    'member chosen at random and replaces it. In each round the sizes take turns, each first as often as any, 256 messages in flight, so that a change of the ' +
    'machine meets them all; then one message at a time, every next one to the next size. The smallest is measured before the others are made, too.',
  doesNotShow:
    'Loading a large document, which takes time that grows with it; and the share of handler and patch alone, without network, log and ' +
    'answer, in which the depth of the tree can be seen (packages/core/delta/bench/message-cost.mjs).',
  async run(context: BenchContext): Promise<Measured> {
    const plan = context.smoke ? SMOKE : FULL;
    return withBenchCluster({}, async (bench) => {
      await bench.client.machines.deploy(SPACE, await benchModule('keys'));
      const subjects = await makeSubjects(bench.client, plan.sizes);
      const leader = await leaderOf(bench.client, subjects[0]!.document);
      const measure = new Measurement(bench, { plan, leader, random: makePrng(context.seed) });
      const [smallest, ...larger] = subjects;
      await smallest!.fill();
      const alone = await measure.alone(smallest!);
      context.progress('the smallest is measured alone');
      for (const subject of larger) {
        await subject.fill();
        context.progress(`filled ${subject.size}`);
      }
      const costs = await measure.together(subjects, context.progress);
      if ((await leaderOf(bench.client, smallest!.document)) !== leader) {
        throw new Error('the leader of the documents changed: run it again');
      }
      const checksum = await verify(bench.client, subjects);
      return { ...summarize(context, plan, alone, costs), checksum };
    });
  },
};

/** What a document's messages cost: one figure a round. */
interface Costs {
  readonly size: number;
  /** Time of the whole cluster and the client, µs. */
  readonly throughputUs: number[];
  /** CPU of the leader's process, all threads, µs. */
  readonly leaderUs: number[];
  /** The same of all nodes and the client together. */
  readonly totalUs: number[];
  /** Median time of one message with no other in flight, ms. */
  readonly singleMs: number[];
}

/** One document and what it must be. */
class Subject {
  readonly document: DocumentHandle;
  readonly size: number;
  readonly #values: number[] = [];
  #messages = 0;

  constructor(document: DocumentHandle, size: number) {
    this.document = document;
    this.size = size;
  }

  async fill(): Promise<void> {
    const sends: Promise<unknown>[] = [];
    for (let from = 0; from < this.size; from += FILL) {
      const count = Math.min(FILL, this.size - from);
      this.#messages++;
      sends.push(this.document.send('fill', { from, count }));
      for (let n = from; n < from + count; n++) this.#values.push(n);
    }
    await Promise.all(sends);
  }

  /** The next message to it, which must be sent. */
  next(random: Prng): Shot {
    const n = random.below(this.size);
    const value = random.below(1000);
    this.#values[n] = value;
    this.#messages++;
    return { document: this.document, channel: 'set', payload: { key: nameOf(n), value } };
  }

  check(seq: number, value: Readonly<Record<string, number>>): void {
    const names = Object.keys(value);
    const isRight =
      seq === this.#messages &&
      names.length === this.size &&
      this.#values.every((expected, n) => value[nameOf(n)] === expected);
    if (!isRight) throw new Error(`the document of ${this.size} members is not what it must be`);
  }
}

class Measurement {
  readonly #bench: BenchCluster;
  readonly #plan: Plan;
  readonly #leader: number;
  readonly #random: Prng;

  constructor(
    bench: BenchCluster,
    { plan, leader, random }: { plan: Plan; leader: number; random: Prng },
  ) {
    this.#bench = bench;
    this.#plan = plan;
    this.#leader = leader;
    this.#random = random;
  }

  /** One document with no other in the cluster. */
  async alone(subject: Subject): Promise<Costs> {
    const [costs] = await this.together([subject], () => {});
    return costs!;
  }

  /** Documents in turns. */
  async together(
    subjects: readonly Subject[],
    progress: (line: string) => void,
  ): Promise<readonly Costs[]> {
    const costs = subjects.map(
      ({ size }): Costs => ({ size, throughputUs: [], leaderUs: [], totalUs: [], singleMs: [] }),
    );
    // One round that does not count: for the first time everything is slower.
    for (let round = -1; round < this.#plan.rounds; round++) {
      for (let turn = 0; turn < subjects.length; turn++) {
        // Each size comes first, second and so on as often: what one leaves behind meets the next.
        const at = (turn + round + 1) % subjects.length;
        const { throughputUs, leaderUs, totalUs } = await this.#load(subjects[at]!);
        if (round < 0) continue;
        costs[at]!.throughputUs.push(throughputUs);
        costs[at]!.leaderUs.push(leaderUs);
        costs[at]!.totalUs.push(totalUs);
      }
      for (const [at, ms] of (await this.#oneByOne(subjects)).entries()) {
        if (round >= 0) costs[at]!.singleMs.push(ms);
      }
      progress(`round ${round + 2} of ${this.#plan.rounds + 1}`);
    }
    return costs;
  }

  async #load(subject: Subject): Promise<Record<'throughputUs' | 'leaderUs' | 'totalUs', number>> {
    const { messages } = this.#plan;
    // Made before the clock starts: to draw them and to note what they set costs more for more members, too.
    const shots = Array.from({ length: messages }, () => subject.next(this.#random));
    const before = await this.#seconds();
    const { perSecond } = await runLoad(messages, IN_FLIGHT, (n) => shots[n]!);
    const after = await this.#seconds();
    return {
      throughputUs: 1e6 / perSecond,
      leaderUs: ((after.leader - before.leader) * 1e6) / messages,
      totalUs: ((after.total - before.total) * 1e6) / messages,
    };
  }

  /** The median time of a message to each, ms, in the order of the subjects. */
  async #oneByOne(subjects: readonly Subject[]): Promise<number[]> {
    const times = subjects.map((): number[] => []);
    for (let n = 0; n < this.#plan.single; n++) {
      for (const [at, subject] of subjects.entries()) {
        const { document, channel, payload } = subject.next(this.#random);
        const start = performance.now();
        await document.send(channel, payload);
        times[at]!.push(performance.now() - start);
      }
    }
    return times.map((each) =>
      quantile(
        each.sort((a, b) => a - b),
        0.5,
      ),
    );
  }

  /** CPU time that was used until now. */
  async #seconds(): Promise<{ readonly leader: number; readonly total: number }> {
    const { nodes } = this.#bench.cluster;
    const used = await Promise.all([...nodes.map(({ pid }) => pid!), process.pid].map(cpuSeconds));
    const total = used.reduce((sum, seconds) => sum + seconds, 0);
    return { leader: used[this.#leader - 1]!, total };
  }
}

function nameOf(n: number): string {
  return String(n).padStart(7, '0');
}

/** A document for each size, all in the group of the first. */
async function makeSubjects(client: Client, sizes: readonly number[]): Promise<Subject[]> {
  const groups = (await client.cluster.status()).groups.length - 1;
  const wanted = groupOf(SPACE, `size-${sizes[0]}-0`, groups);
  return sizes.map((size) => {
    for (let n = 0; ; n++) {
      const key = `size-${size}-${n}`;
      if (groupOf(SPACE, key, groups) !== wanted) continue;
      return new Subject(client.document(SPACE, key), size);
    }
  });
}

async function leaderOf(client: Client, { key }: DocumentHandle): Promise<number> {
  const { groups } = await client.cluster.status();
  return groups[groupOf(SPACE, key, groups.length - 1)]!.leader;
}

/** Reads the documents back, checks every member of each, and returns their hash. */
async function verify(client: Client, subjects: readonly Subject[]): Promise<string> {
  const keys = subjects.map(({ document }) => document.key);
  const found = await readBack<Record<string, number>>(client, SPACE, keys);
  for (const [at, { seq, value }] of found.entries()) subjects[at]!.check(seq, value);
  return checksumOfDocuments(found);
}

function summarize(
  context: BenchContext,
  { rounds, messages, sizes }: Plan,
  alone: Costs,
  costs: readonly Costs[],
): Omit<Measured, 'checksum'> {
  const smallest = costs[0]!;
  const largest = costs.at(-1)!;
  const row = (name: string | number, of: Costs): (string | number)[] => [
    name,
    ...(['leaderUs', 'totalUs', 'throughputUs', 'singleMs'] as const).flatMap((kind) => [
      cell(spreadOf(of[kind])),
      round(ratio(of[kind], smallest[kind])),
    ]),
  ];
  const bound = (what: string, kind: 'leaderUs' | 'throughputUs'): string =>
    required(context, {
      what: `${what} at ${sizes.at(-1)!.toLocaleString('en-US')} members`,
      is: 'at most',
      limit: 1.2,
      measured: ratio(largest[kind], smallest[kind]),
      unit: ` times that at ${sizes[0]}`,
    });
  return {
    columns: [
      'members',
      "µs of the leader's CPU",
      'times 10',
      'µs of all CPU',
      'times 10',
      'µs at full load',
      'times 10',
      'ms alone',
      'times 10',
    ],
    rows: [...costs.map((of) => row(of.size, of)), row(`${sizes[0]}, no other document`, alone)],
    notes: [
      bound("the leader's CPU a message", 'leaderUs'),
      bound('the time a message at full load', 'throughputUs'),
      `Medians of ${rounds} rounds of ${messages} messages, the least and the most behind them; ratios are medians of the rounds' ratios. All CPU: of three nodes and the client.`,
    ],
  };
}

/** The median over the rounds of how many times as much it was. */
function ratio(of: readonly number[], to: readonly number[]): number {
  return spreadOf(of.map((value, at) => value / to[at]!)).median;
}
