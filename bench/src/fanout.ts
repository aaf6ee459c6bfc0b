// One document, one writer at a steady pace, many watchers: what it costs to deliver a delta, and how late it is.

import type { DocumentHandle } from '@deltabase/client';
import type { ProcessCluster } from '@deltabase/testkit';
import { cpuSeconds, sleep, withBenchCluster } from './bench-cluster.js';
import { Counters } from './counters.js';
import { type BenchContext, type Benchmark, type Measured, quantile, round } from './harness.js';

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
    const checksum = await withBenchCluster({}, async ({ cluster, client }) => {
      const counters = await Counters.deploy(client);
      for (const watchers of fleets) {
        const fleet = new Fleet(counters, `watched-by-${watchers}`);
        await fleet.gather(watchers);
        const cpuBefore = await cpuOfAll(cluster);
        const deltas = await fleet.write(seconds);
        await fleet.awaitSeq(deltas + 1);
        const cpu = (await cpuOfAll(cluster)) - cpuBefore;
        const delivered = deltas * watchers;
        const late = fleet.lateness();
        if (late.length !== delivered) throw new Error(`${late.length} of ${delivered} came`);
        rows.push([
          watchers,
          round(delivered / seconds),
          round(quantile(late, 0.5)),
          round(quantile(late, 0.99)),
          round((cpu * 1e6) / delivered),
        ]);
        context.progress(`${watchers} watchers: ${rows.at(-1)!.slice(1).join(', ')}`);
        await fleet.check();
        await fleet.leave();
      }
      return counters.verify();
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
        'Every watcher got every delta, once and in order, and has what the document is. CPU: of all three nodes, for everything they did.',
      ],
      checksum,
    };
  },
};

async function cpuOfAll(cluster: ProcessCluster): Promise<number> {
  const used = await Promise.all(cluster.nodes.map(({ pid }) => cpuSeconds(pid!)));
  return used.reduce((sum, seconds) => sum + seconds, 0);
}

/** What a watcher has. */
interface Copy {
  seq: number;
  hash: string;
  n: unknown;
}

/** The watchers of one document, and its writer. */
class Fleet {
  readonly #counters: Counters;
  readonly #document: DocumentHandle;
  readonly #aborter = new AbortController();
  readonly #copies: Copy[] = [];
  readonly #late: number[] = [];
  readonly #watching: Promise<void>[] = [];
  #failed: unknown;

  constructor(counters: Counters, key: string) {
    this.#counters = counters;
    this.#document = counters.document(key);
  }

  /** Begins the watches and waits until all have the state. */
  async gather(watchers: number): Promise<void> {
    await this.#send();
    for (let n = 0; n < watchers; n++) {
      const copy: Copy = { seq: 0, hash: '', n: undefined };
      this.#copies.push(copy);
      this.#watching.push(this.#watch(copy));
    }
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

  /** Waits until every watcher has come so far; rejects if one never will. */
  async awaitSeq(seq: number): Promise<void> {
    while (this.#copies.some((copy) => copy.seq < seq)) {
      if (this.#failed !== undefined) throw this.#failed;
      await sleep(10);
    }
  }

  /** How late each delta was, ms, sorted. */
  lateness(): number[] {
    return this.#late.sort((a, b) => a - b);
  }

  /** Every watcher's copy is the document. */
  async check(): Promise<void> {
    const { seq, hash, value } = await this.#document.get<{ n: number }>();
    for (const copy of this.#copies) {
      if (copy.seq !== seq || copy.hash !== hash || copy.n !== value.n) {
        throw new Error(`a watcher has ${copy.n} at seq ${copy.seq}, not ${value.n} at ${seq}`);
      }
    }
  }

  async leave(): Promise<void> {
    this.#aborter.abort();
    await Promise.all(this.#watching);
  }

  #send(): Promise<unknown> {
    const { document, channel, payload } = this.#counters.add(this.#document);
    return document.send(channel, payload);
  }

  async #watch(copy: Copy): Promise<void> {
    try {
      await this.#follow(copy);
    } catch (thrown) {
      if (!this.#aborter.signal.aborted) this.#failed ??= thrown;
    }
  }

  async #follow(copy: Copy): Promise<void> {
    for await (const event of this.#document.watch({ signal: this.#aborter.signal })) {
      if (event.kind === 'delta') {
        if (event.seq !== copy.seq + 1) throw new Error(`delta ${event.seq} after ${copy.seq}`);
        this.#late.push(Date.now() - event.time);
        const [operation] = event.patch;
        if (operation?.op === 'replace') copy.n = operation.value;
      }
      copy.seq = event.seq;
      copy.hash = event.hash;
    }
  }
}
