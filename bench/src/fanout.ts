// One document, one writer at a steady pace, many watchers: what it costs to deliver a delta, and how late it is.

import type { Client } from '@deltabase/client';
import { cpuSeconds, exampleModule, sleep, withBenchCluster } from './bench-cluster.js';
import {
  type BenchContext,
  type Benchmark,
  checksumOf,
  type Measured,
  quantile,
  round,
} from './harness.js';

const PER_SECOND = 100;

export const fanout: Benchmark = {
  name: 'fanout',
  question: 'What does it cost to deliver a delta to many watchers, and how late is it?',
  workload:
    'One counter, 100 messages a second, all watchers in one client process. Lateness: from the leader executing the message until the ' +
    'watcher has the delta.',
  doesNotShow: 'Watchers far away, or slow ones.',
  async run(context: BenchContext): Promise<Measured> {
    const fleets = context.smoke ? [5] : [10, 100, 1000];
    const seconds = context.smoke ? 1 : 10;
    const rows: (string | number)[][] = [];
    await withBenchCluster({}, async ({ cluster, client }) => {
      await client.machines.deploy('counter', await exampleModule('counter'));
      for (const watchers of fleets) {
        const fleet = new Fleet(client, `watched-by-${watchers}`);
        await fleet.gather(watchers);
        const cpuBefore = await cpuSeconds(cluster);
        const deltas = await fleet.write(seconds);
        const cpu = (await cpuSeconds(cluster)) - cpuBefore;
        await fleet.awaitSeq(deltas + 1);
        const delivered = deltas * watchers;
        const late = fleet.lateness();
        rows.push([
          watchers,
          round(delivered / seconds),
          round(quantile(late, 0.5)),
          round(quantile(late, 0.99)),
          round((cpu * 1e6) / delivered),
        ]);
        context.progress(`${watchers} watchers: ${rows.at(-1)!.slice(1).join(', ')}`);
        await fleet.leave();
      }
    });
    return {
      columns: [
        'watchers',
        'deltas delivered/s',
        'p50 ms late',
        'p99 ms late',
        "µs of nodes' CPU a delivery",
      ],
      rows,
      notes: [
        'Every watcher got every delta, once and in order. CPU: of all three nodes, for everything they did.',
      ],
      checksum: checksumOf(String(context.seed), fleets.join(), String(seconds)),
    };
  },
};

/** The watchers of one document, and its writer. */
class Fleet {
  readonly #client: Client;
  readonly #key: string;
  readonly #aborter = new AbortController();
  readonly #seqs: number[] = [];
  readonly #late: number[] = [];
  readonly #watching: Promise<void>[] = [];

  constructor(client: Client, key: string) {
    this.#client = client;
    this.#key = key;
  }

  /** Begins the watches and waits until all have the state. */
  async gather(watchers: number): Promise<void> {
    await this.#send();
    for (let n = 0; n < watchers; n++) this.#watching.push(this.#watch(n));
    await this.awaitSeq(1);
  }

  /** Sends at the pace for so long; resolves with the number of deltas when all are answered. */
  async write(seconds: number): Promise<number> {
    const answers: Promise<unknown>[] = [];
    const start = performance.now();
    for (let n = 0; n < seconds * PER_SECOND; n++) {
      const dueMs = start + (n * 1000) / PER_SECOND - performance.now();
      if (dueMs > 0) await sleep(dueMs);
      answers.push(this.#send());
    }
    await Promise.all(answers);
    return answers.length;
  }

  async awaitSeq(seq: number): Promise<void> {
    while (this.#seqs.length < this.#watching.length || this.#seqs.some((at) => at < seq)) {
      await sleep(10);
    }
  }

  /** How late each delta was, ms, sorted. */
  lateness(): number[] {
    return this.#late.sort((a, b) => a - b);
  }

  async leave(): Promise<void> {
    this.#aborter.abort();
    await Promise.allSettled(this.#watching);
  }

  #send(): Promise<unknown> {
    return this.#client.document('counter', this.#key).send('add', { by: 1 });
  }

  async #watch(n: number): Promise<void> {
    const document = this.#client.document('counter', this.#key);
    for await (const event of document.watch({ signal: this.#aborter.signal })) {
      if (event.kind === 'delta') {
        if (event.seq !== this.#seqs[n]! + 1) throw new Error(`watcher ${n} missed a delta`);
        this.#late.push(Date.now() - event.time);
      }
      this.#seqs[n] = event.seq;
    }
  }
}
