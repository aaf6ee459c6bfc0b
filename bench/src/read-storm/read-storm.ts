// Readers hammer one document: what becomes of the messages to it, without replicas and with two of them.

import { setPriority } from 'node:os';
import type { Client, DocumentHandle, NodeStatus } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster } from '@deltabase/testkit';
import { sleep, withBenchCluster } from '../bench-cluster.js';
import { Counters, SPACE } from '../counters.js';
import {
  type BenchContext,
  type Benchmark,
  type Measured,
  quantile,
  required,
  round,
} from '../harness.js';
import { ELSEWHERE_NICE, Readers } from './processes.js';
import { type Mark, type Moment, timelineSvg } from './timeline.js';

interface Plan {
  readonly readers: number;
  /** Messages a second. */
  readonly rate: number;
  readonly idleMs: number;
  readonly stormMs: number;
}

const FULL: Plan = { readers: 200, rate: 50, idleMs: 10_000, stormMs: 20_000 };
const SMOKE: Plan = { readers: 5, rate: 20, idleMs: 1000, stormMs: 2000 };
const KEY = 'hammered';
const REPLICAS = 2;
const SAMPLE_MS = 500;
/** When the leader's share must be small, ms after the storm has begun; and for how long it is measured then. */
const SHARE_MS = 5000;
const SHARE_MAX = 0.1;
const P99_MAX = 1.3;

export const readStorm: Benchmark = {
  name: 'read-storm',
  question:
    'What becomes of the messages to a document that 200 readers hammer, without replicas and with two?',
  workload:
    `One counter, ${FULL.rate} messages a second; ${FULL.readers} readers that read it linearizably, each again as soon as it has an answer. Readers (one process) and replicas run at ` +
    `nice ${ELSEWHERE_NICE}: in earnest they are on other machines. Nobody touches anything: readers go where the cluster sends them.`,
  doesNotShow: 'Machines of their own for readers and replicas: here all share two cores.',
  async run(context: BenchContext): Promise<Measured> {
    const plan = context.smoke ? SMOKE : FULL;
    return withBenchCluster({}, async ({ cluster, client }) => {
      const counters = await Counters.deploy(client);
      const storm = new Storm(cluster, client, counters, plan);
      context.progress('idle');
      const idle = await storm.phase('idle', plan.idleMs, false);
      context.progress(`${describe(idle)}; ${plan.readers} readers`);
      const alone = await storm.phase('readers, no replicas', plan.stormMs, true);
      context.progress(`${describe(alone)}; ${REPLICAS} replicas`);
      await storm.startReplicas();
      const calm = await storm.phase(`${REPLICAS} replicas, idle`, plan.idleMs, false);
      context.progress(`${describe(calm)}; readers again`);
      const helped = await storm.phase(`readers, ${REPLICAS} replicas`, plan.stormMs, true);
      context.progress(describe(helped));
      const checksum = await counters.verify();
      const from = helped.startedMs + SHARE_MS;
      const settled = storm.between(from, Infinity);
      const share = settled.leader / settled.total;
      const quietMs = quantile(idle.writesMs, 0.99);
      const helpedMs = quantile(storm.writesBetween(from, Infinity), 0.99);
      return {
        columns: ['phase', 'messages p50 ms', 'p99 ms', 'reads/s', "leader's share of them"],
        rows: [idle, alone, calm, helped].map((phase) => rowOf(phase, storm)),
        notes: [
          required(context, {
            what: `the leader's share of all reads from ${SHARE_MS / 1000} s after the storm began, with replicas,`,
            is: 'at most',
            limit: SHARE_MAX * 100,
            measured: share * 100,
            unit: ' %',
          }),
          required(context, {
            what: 'p99 of messages from then on, as a multiple of that without readers,',
            is: 'at most',
            limit: P99_MAX,
            measured: helpedMs / quietMs,
            unit: ' times',
          }),
          required(context, {
            what: 'reads a second from then on, as a multiple of those without replicas,',
            is: 'at least',
            limit: 1,
            measured: settled.perSecond / storm.between(alone.startedMs, alone.endedMs).perSecond,
            unit: ' times',
          }),
        ],
        checksum,
        files: { 'read-storm.svg': storm.svg() },
      };
    });
  },
};

interface Phase {
  readonly name: string;
  readonly startedMs: number;
  readonly endedMs: number;
  /** What each message took, sorted. */
  readonly writesMs: readonly number[];
}

interface Sample {
  readonly atMs: number;
  readonly leader: number;
  readonly followers: number;
  readonly replicas: number;
}

interface Write {
  readonly atMs: number;
  readonly tookMs: number;
}

class Storm {
  readonly #cluster: ProcessCluster;
  readonly #client: Client;
  readonly #counters: Counters;
  readonly #document: DocumentHandle;
  readonly #plan: Plan;
  readonly #startMs = performance.now();
  /** Addresses. */
  readonly #replicas: string[] = [];
  readonly #samples: Sample[] = [];
  readonly #writes: Write[] = [];
  readonly #marks: Mark[] = [];

  constructor(cluster: ProcessCluster, client: Client, counters: Counters, plan: Plan) {
    this.#cluster = cluster;
    this.#client = client;
    this.#counters = counters;
    this.#document = counters.document(KEY);
    this.#plan = plan;
  }

  async startReplicas(): Promise<void> {
    for (let at = 1; at <= REPLICAS; at++) {
      const replica = await this.#cluster.makeReplica(`r${at}`);
      await replica.start();
      setPriority(replica.pid!, ELSEWHERE_NICE);
      this.#replicas.push(replica.clientAddress);
    }
  }

  /** Writes for a while, with readers or without. */
  async phase(name: string, ms: number, withReaders: boolean): Promise<Phase> {
    const startedMs = performance.now();
    this.#mark(name);
    const { addresses } = this.#cluster;
    const { readers: count } = this.#plan;
    const plan = { addresses, space: SPACE, key: KEY, readers: count };
    const readers = withReaders ? new Readers(plan) : undefined;
    const endMs = startedMs + ms;
    const sampling = this.#sampleUntil(endMs);
    await this.#writeUntil(endMs);
    await sampling;
    await readers?.stop();
    const endedMs = performance.now();
    return { name, startedMs, endedMs: endMs, writesMs: this.writesBetween(startedMs, endedMs) };
  }

  /** What messages of a time took, sorted. */
  writesBetween(fromMs: number, toMs: number): number[] {
    const found = this.#writes.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    return found.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  }

  /** Reads of a time. */
  between(fromMs: number, toMs: number): { leader: number; total: number; perSecond: number } {
    const samples = this.#samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
    const [first, last] = [samples[0], samples.at(-1)];
    if (first === undefined || last === undefined) return { leader: 0, total: 0, perSecond: 0 };
    const leader = last.leader - first.leader;
    const total = totalOf(last) - totalOf(first);
    return { leader, total, perSecond: (total * 1000) / (last.atMs - first.atMs) };
  }

  svg(): string {
    const moments = this.#samples.slice(1).flatMap((sample, at): Moment[] => {
      const before = this.#samples[at]!;
      const ms = sample.atMs - before.atMs;
      const perSecond = (kind: 'leader' | 'followers' | 'replicas'): number =>
        Math.max(0, ((sample[kind] - before[kind]) * 1000) / ms);
      const writes = this.writesBetween(before.atMs, sample.atMs);
      return [
        {
          at: (sample.atMs - this.#startMs) / 1000,
          leader: perSecond('leader'),
          followers: perSecond('followers'),
          replicas: perSecond('replicas'),
          writeMs: writes.length === 0 ? undefined : quantile(writes, 0.99),
        },
      ];
    });
    const title = `Reads of one document by ${this.#plan.readers} readers, and messages to it`;
    return timelineSvg(title, moments, this.#marks);
  }

  #mark(text: string): void {
    this.#marks.push({ at: (performance.now() - this.#startMs) / 1000, text });
  }

  /** Messages at a steady rate, whatever becomes of those before. */
  async #writeUntil(endMs: number): Promise<void> {
    const { rate } = this.#plan;
    const sends: Promise<void>[] = [];
    const startMs = performance.now();
    for (let count = 0; ; count++) {
      const dueMs = startMs + (count * 1000) / rate;
      if (dueMs >= endMs) break;
      await sleep(Math.max(0, dueMs - performance.now()));
      sends.push(this.#write());
    }
    await Promise.all(sends);
  }

  async #write(): Promise<void> {
    const { document, channel, payload } = this.#counters.add(this.#document);
    const atMs = performance.now();
    await document.send(channel, payload);
    this.#writes.push({ atMs, tookMs: performance.now() - atMs });
  }

  async #sampleUntil(endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      this.#samples.push(await this.#sample());
      await sleep(SAMPLE_MS);
    }
  }

  async #sample(): Promise<Sample> {
    const { cluster } = this.#client;
    const nodes = await Promise.all(
      this.#cluster.nodes.map(({ id }) => cluster.status({ node: id })),
    );
    const replicas = await Promise.all(this.#replicas.map((address) => cluster.replica(address)));
    const group = groupOf(SPACE, KEY, this.#cluster.groups);
    const leads = ({ groups }: NodeStatus): boolean =>
      groups.some((each) => each.group === group && each.role === 'leader');
    return {
      atMs: performance.now(),
      leader: readsOf(nodes.filter((node) => leads(node))),
      followers: readsOf(nodes.filter((node) => !leads(node))),
      replicas: sum(replicas.map(({ readsAnswered }) => readsAnswered)),
    };
  }
}

function rowOf(phase: Phase, storm: Storm): (string | number)[] {
  const { name, writesMs, startedMs, endedMs } = phase;
  const { leader, total, perSecond } = storm.between(startedMs, endedMs);
  const share = total === 0 ? '' : `${round((100 * leader) / total)} %`;
  return [
    name,
    round(quantile(writesMs, 0.5)),
    round(quantile(writesMs, 0.99)),
    total === 0 ? 0 : round(perSecond),
    share,
  ];
}

function describe({ name, writesMs }: Phase): string {
  return `${name}: messages p50 ${round(quantile(writesMs, 0.5))} ms, p99 ${round(quantile(writesMs, 0.99))} ms`;
}

function totalOf({ leader, followers, replicas }: Sample): number {
  return leader + followers + replicas;
}

function readsOf(nodes: readonly NodeStatus[]): number {
  return sum(nodes.map(({ counters }) => counters!.readsAnswered));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
