// A hot document and clients that nobody tells anything: readers and watchers go to the replicas by themselves, miss
// nothing when one is killed, and come back when it has cooled.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client, WatchEvent } from '@deltabase/client';
import type { ProcessCluster } from '@deltabase/testkit';
import { connectAndDeploy, sleep, until, withCluster } from '../src/scratch.js';

const SPACE = 'counter';
const KEY = 'hot';
const READERS = 8;
const WATCHERS = 12;
/** What these readers do is a lot, for copies on both replicas. */
const LIMITS =
  'hotReadsPerSecondMin=10,copyReadsPerSecondMax=10,heatHalfLifeMs=1000,hotCoolMs=3000';

test('readers and watchers of a hot document follow its copies, through kills, and come back', {
  timeout: 180_000,
}, async (t) => {
  await withCluster({ flags: { limits: LIMITS } }, async (cluster) => {
    for (const name of ['a', 'b']) await (await cluster.makeReplica(name)).start();
    const client = await connectAndDeploy(cluster.addresses, SPACE);
    const load = new Load(client);
    const begunMs = performance.now();
    const at = (what: string): void =>
      t.diagnostic(`${what} after ${Math.round(performance.now() - begunMs)} ms`);
    try {
      await load.begin();
      at('all have begun');
      await until('the leader has less than a tenth of the reads', async () => {
        const share = await shareOfNodes(client, load);
        at(`the nodes answer ${(share * 100).toFixed(1)} % of ${load.reads} reads`);
        return share < 0.1;
      });
      const [hottest] = (await client.cluster.hot()).documents;
      assert.equal(hottest!.key, KEY);
      assert.deepEqual([...hottest!.copies].sort(), replicasOf(cluster).sort());
      await until('watches have moved', async () => (await deliveredByNodes(client)) === 0);
      at('watches have moved');

      await cluster.replicas[0]!.stop('SIGKILL');
      at('a replica is killed');
      const before = load.seq;
      await until('all go on without it', () => load.seq > before + 20 && load.isCurrent);
      at('all go on without a replica');
      await cluster.replicas[0]!.start();

      load.stopReading();
      await load.stop();
      const { seq, hash } = await client.document(SPACE, KEY).get({ mode: 'linearizable' });
      await until('each watcher has come to the end', () => load.isAt(seq));
      for (const { events } of load.watchers) assert.equal(events.at(-1)!.hash, hash);
      await load.leave();
      at('each watcher has come to the end');
      await until('its copies have retired', async () => {
        const { documents } = await client.cluster.hot();
        return documents.every(({ copies }) => copies.length === 0);
      });
    } finally {
      await load.leave().finally(() => client.close({ abandon: true }));
    }
  });
});

function replicasOf(cluster: ProcessCluster): string[] {
  return cluster.replicas.map(({ clientAddress }) => clientAddress);
}

/** What part of the reads of half a second nodes have answered. */
async function shareOfNodes(client: Client, load: Load): Promise<number> {
  const [reads, answered] = [load.reads, await answeredByNodes(client)];
  await sleep(500);
  const total = load.reads - reads;
  return total < 20 ? 1 : ((await answeredByNodes(client)) - answered) / total;
}

async function answeredByNodes(client: Client): Promise<number> {
  return sumOfNodes(client, ({ readsAnswered }) => readsAnswered);
}

/** Events that nodes give to watchers in 300 ms; what keeps copies current is not counted. */
async function deliveredByNodes(client: Client): Promise<number> {
  const of = ({ eventsDelivered }: Counters): number => eventsDelivered;
  const before = await sumOfNodes(client, of);
  await sleep(300);
  return (await sumOfNodes(client, of)) - before;
}

type Counters = { readonly readsAnswered: number; readonly eventsDelivered: number };

async function sumOfNodes(client: Client, of: (counters: Counters) => number): Promise<number> {
  const reports = await client.cluster.nodes();
  return reports.reduce(
    (sum, report) => sum + (report.kind === 'status' ? of(report.status.counters!) : 0),
    0,
  );
}

interface WatcherRecord {
  readonly events: WatchEvent[];
}

/** A writer, readers and watchers of one document, through one client. */
class Load {
  readonly #client: Client;
  readonly #left = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly watchers: WatcherRecord[] = [];
  reads = 0;
  /** As the writer knows it. */
  seq = 0;
  #isReading = true;
  #isWriting = true;

  constructor(client: Client) {
    this.#client = client;
  }

  async begin(): Promise<void> {
    this.seq = (await this.#document.send('add', 1)).seq;
    for (let count = 0; count < WATCHERS; count++) this.#running.push(this.#watch());
    for (let count = 0; count < READERS; count++) this.#running.push(this.#read(count));
    this.#running.push(this.#write());
    // `leave` tells of what went wrong.
    for (const running of this.#running) running.catch(() => {});
    await until('every watcher has a state', () => this.isAt(1));
  }

  /** Whether every watcher is not far behind. */
  get isCurrent(): boolean {
    return this.isAt(this.seq - 10);
  }

  isAt(seq: number): boolean {
    return this.watchers.every(({ events }) => (events.at(-1)?.seq ?? 0) >= seq);
  }

  stopReading(): void {
    this.#isReading = false;
  }

  async stop(): Promise<void> {
    this.#isWriting = false;
    await this.#running.at(-1);
  }

  /** Ends all of it. Throws what anybody of it met with that should not be. */
  async leave(): Promise<void> {
    this.#isReading = false;
    this.#isWriting = false;
    this.#left.abort();
    await Promise.all(this.#running);
  }

  get #document() {
    return this.#client.document<{ count: number }>(SPACE, KEY);
  }

  async #write(): Promise<void> {
    while (this.#isWriting) {
      this.seq = (await this.#document.send('add', 1)).seq;
      await sleep(30);
    }
  }

  /** Each reads what was acknowledged before, and never less than it has read. */
  async #read(number: number): Promise<void> {
    let last = 0;
    for (let count = 0; this.#isReading; count++) {
      const acknowledged = this.seq;
      const isFresh = (count + number) % 2 === 0;
      const mode = isFresh ? 'linearizable' : { atLeastSeq: last };
      const { seq } = await this.#document.get({ mode });
      assert.ok(seq >= last && (!isFresh || seq >= acknowledged), `${seq} after ${last}`);
      last = seq;
      this.reads++;
    }
  }

  async #watch(): Promise<void> {
    const events: WatchEvent[] = [];
    this.watchers.push({ events });
    const { signal } = this.#left;
    try {
      for await (const event of this.#document.watch({ signal })) {
        const last = events.at(-1);
        if (last === undefined) assert.equal(event.kind, 'state');
        else assert.deepEqual([event.kind, event.seq], ['delta', last.seq + 1]);
        events.push(event);
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }
}
