// A storm of reads on one document: phases of it, what messages took meanwhile, and who answered the reads.

import { setPriority } from 'node:os';
import type { Client, DocumentHandle, NodeStatus } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster } from '@deltabase/testkit';
import { sleep } from '../bench-cluster.js';
import { type Counters, SPACE } from '../counters.js';
import type { CpuShares } from '../cpu-shares.js';
import { quantile, round } from '../harness.js';
import { ELSEWHERE_NICE, Readers } from './processes.js';
import { type Mark, type Moment, timelineSvg } from './timeline.js';

export interface Plan {
  readonly readers: number;
  /** Reads that each has open. */
  readonly readsAtOnce: number;
  /** Messages a second. */
  readonly rate: number;
  readonly warmMs: number;
  readonly idleMs: number;
  readonly stormMs: number;
}

const KEY = 'hammered';
const REPLICAS = 2;
const SAMPLE_MS = 500;

export interface Phase {
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

export class Storm {
  readonly #cluster: ProcessCluster;
  readonly #client: Client;
  readonly #counters: Counters;
  readonly #document: DocumentHandle;
  readonly #plan: Plan;
  readonly #shares: CpuShares | undefined;
  readonly #startMs = performance.now();
  readonly #group: number;
  /** Addresses. */
  readonly #replicas: string[] = [];
  readonly #samples: Sample[] = [];
  readonly #writes: Write[] = [];
  readonly #marks: Mark[] = [];

  constructor(
    cluster: ProcessCluster,
    client: Client,
    counters: Counters,
    { plan, shares }: { readonly plan: Plan; readonly shares: CpuShares | undefined },
  ) {
    this.#cluster = cluster;
    this.#client = client;
    this.#counters = counters;
    this.#document = counters.document(KEY);
    this.#plan = plan;
    this.#shares = shares;
    this.#group = groupOf(SPACE, KEY, cluster.groups);
  }

  /** From now on nodes have no more than their share. */
  holdNodes(): void {
    for (const { pid } of this.#cluster.nodes) this.#shares?.hold(pid!);
  }

  async startReplicas(): Promise<void> {
    for (let at = 1; at <= REPLICAS; at++) {
      const replica = await this.#cluster.makeReplica(`r${at}`);
      await replica.start();
      setPriority(replica.pid!, ELSEWHERE_NICE);
      this.#shares?.hold(replica.pid!);
      this.#replicas.push(replica.clientAddress);
    }
  }

  /** Writes for a while, with readers or without. */
  async phase(name: string, ms: number, withReaders: boolean): Promise<Phase> {
    const startedMs = performance.now();
    this.#mark(name);
    const { readers: count, readsAtOnce } = this.#plan;
    const home = await this.#leaderAddress();
    const plan = { home, space: SPACE, key: KEY, readers: count, readsAtOnce };
    const readers = withReaders ? new Readers(plan) : undefined;
    const endMs = startedMs + ms;
    try {
      await Promise.all([this.#sampleUntil(endMs), this.#writeUntil(endMs)]);
    } finally {
      await readers?.stop();
    }
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

  /** In a line. */
  describe({ startedMs, endedMs, writesMs }: Phase): string {
    const [p50, p99] = [0.5, 0.99].map((q) => round(quantile(writesMs, q)));
    const { perSecond } = this.between(startedMs, endedMs);
    return `messages p50 ${p50} ms, p99 ${p99} ms, ${round(perSecond)} reads/s`;
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
    let failure: unknown;
    const startMs = performance.now();
    for (let count = 0; ; count++) {
      const dueMs = startMs + (count * 1000) / rate;
      if (dueMs >= endMs || failure !== undefined) break;
      await sleep(Math.max(0, dueMs - performance.now()));
      const failed = (thrown: unknown): void => {
        failure ??= thrown;
      };
      sends.push(this.#write(dueMs).catch(failed));
    }
    await Promise.all(sends);
    if (failure !== undefined) throw failure;
  }

  /** What it takes counts from when it was due: a writer that gets no turn is late, too. */
  async #write(dueMs: number): Promise<void> {
    const { document, channel, payload } = this.#counters.add(this.#document);
    await document.send(channel, payload);
    this.#writes.push({ atMs: dueMs, tookMs: performance.now() - dueMs });
  }

  async #sampleUntil(endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      this.#samples.push(await this.#sample());
      await sleep(SAMPLE_MS);
    }
  }

  /** Where readers go of their own accord. */
  async #leaderAddress(): Promise<string> {
    const { groups, members } = await this.#client.cluster.status();
    const leader = groups.find(({ group }) => group === this.#group)?.leader;
    const member = members.find(({ node }) => node === leader);
    if (member === undefined) throw new Error('nobody leads the group of the document');
    return member.address;
  }

  async #sample(): Promise<Sample> {
    const { cluster } = this.#client;
    const nodes = await Promise.all(
      this.#cluster.nodes.map(({ id }) => cluster.status({ node: id })),
    );
    const replicas = await Promise.all(this.#replicas.map((address) => cluster.replica(address)));
    const leads = ({ groups }: NodeStatus): boolean =>
      groups.some(({ group, role }) => group === this.#group && role === 'leader');
    return {
      atMs: performance.now(),
      leader: readsOf(nodes.filter((node) => leads(node))),
      followers: readsOf(nodes.filter((node) => !leads(node))),
      replicas: sum(replicas.map(({ readsAnswered }) => readsAnswered)),
    };
  }
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
