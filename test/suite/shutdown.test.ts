// How nodes leave a real cluster: in order, with nobody noticing; or at once, when told twice.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Client, connect } from '@deltabase/client';
import type { ProcessCluster, ProcessNode } from '@deltabase/testkit';
import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { leadersSettled } from '../src/calm.js';
import { NodeView } from '../src/node-view.js';
import { exampleModule, until, withCluster } from '../src/scratch.js';

const WRITERS = 32;
/** Of each kind. */
const READERS = 8;
/** Leaders are missed late, so that what needs an election shows. */
const TIMING = { 'tick-ms': 50, 'election-ticks': 60 };
const ELECTION_MS = 3000;

test('nodes are restarted one after the other under load, and no client sees an error', {
  timeout: 180_000,
}, async (t) => {
  await withCluster({ flags: TIMING }, async (cluster) => {
    const client = await connect({ addresses: cluster.addresses });
    try {
      await client.machines.deploy('counter', await exampleModule('counter'));
      await leadersSettled(cluster);
      await restartEach(t, cluster, client);
    } finally {
      await client.close({ abandon: true });
    }
  });
});

async function restartEach(t: TestContext, cluster: ProcessCluster, client: Client): Promise<void> {
  const writers = new Writers(client);
  let readers: Readers | undefined;
  const restart = async (): Promise<void> => {
    await until('something to read', () => writers.answered > 20 * WRITERS);
    readers = new Readers(client);
    await restartUnder(writers, cluster);
  };
  const failure = await restart().then(
    () => undefined,
    (thrown: unknown) => ({ thrown }),
  );
  const longestGapMs = await writers.stop();
  await readers?.stop();
  if (failure !== undefined) throw failure.thrown;
  const { reads, deltas } = readers!;
  assert.ok(reads.count > 20 * READERS && deltas.count > 20 * READERS);
  for (const [what, count, gapMs] of [
    ['answers', writers.answered, longestGapMs],
    ['fresh reads', reads.count, reads.longestGapMs],
    ['deltas to watchers', deltas.count, deltas.longestGapMs],
  ] as const) {
    t.diagnostic(`${count} ${what}, at most ${gapMs.toFixed(0)} ms without one`);
  }
}

async function restartUnder(writers: Writers, cluster: ProcessCluster): Promise<void> {
  for (const node of cluster.nodes) {
    const before = writers.answered;
    await until('answers', () => writers.answered > before + 20 * WRITERS);
    assert.equal(await node.stop('SIGTERM'), 0, `node ${node.id} ends well`);
    // Before anybody could have stood for election: the leaderships were handed over.
    await until('other leaders', () => isLedByOthers(cluster, node.id), ELECTION_MS / 2);
    const during = writers.answered;
    await until('answers without it', () => writers.answered > during + 20 * WRITERS);
    await node.start();
  }
}

/** Whether all other nodes know another leader of each group than `gone`. */
async function isLedByOthers(cluster: ProcessCluster, gone: number): Promise<boolean> {
  const views = cluster.nodes
    .filter(({ id }) => id !== gone)
    .map(({ clientAddress }) => new NodeView(clientAddress));
  const statuses = await Promise.all(views.map((view) => view.status()));
  for (const view of views) view.close();
  return statuses.every(({ groups }) =>
    groups.every(({ leader }) => leader !== 0 && leader !== gone),
  );
}

/** Writers that count, each on a document of its own, a message at a time. */
class Writers {
  answered = 0;
  readonly #writing: Promise<void>[];
  #isStopping = false;
  #lastMs = performance.now();
  #longestGapMs = 0;

  constructor(client: Client) {
    this.#writing = Array.from({ length: WRITERS }, (_, writer) => this.#write(client, writer));
  }

  /** Rejects if any message failed, or took effect twice or not at all. Gives the longest time without an answer. */
  async stop(): Promise<number> {
    this.#isStopping = true;
    await Promise.all(this.#writing);
    return this.#longestGapMs;
  }

  async #write(client: Client, writer: number): Promise<void> {
    const document = client.document('counter', `writer-${writer}`);
    for (let count = 1; !this.#isStopping; count++) {
      const { reply } = await document.send('add', { by: 1 });
      assert.equal(reply, count, `writer ${writer}`);
      const nowMs = performance.now();
      this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      this.answered++;
    }
  }
}

/** How many there were of something, and the longest time without one. */
class Pace {
  count = 0;
  longestGapMs = 0;
  #lastMs = performance.now();

  add(): void {
    const nowMs = performance.now();
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.count++;
  }
}

/** Readers that ask again and again, and watchers, of what the first writers count: no read is older than the last. */
class Readers {
  readonly reads = new Pace();
  readonly deltas = new Pace();
  readonly #reading: Promise<void>[];
  readonly #controller = new AbortController();

  constructor(client: Client) {
    const each = Array.from({ length: READERS }, (_, reader) => reader);
    this.#reading = each.flatMap((reader) => [
      this.#read(client, reader),
      this.#watch(client, reader),
    ]);
  }

  /** Rejects if a read or a watch failed. */
  async stop(): Promise<void> {
    this.#controller.abort();
    await Promise.all(this.#reading);
  }

  async #read(client: Client, reader: number): Promise<void> {
    const document = client.document('counter', `writer-${reader}`);
    for (let last = 0; !this.#controller.signal.aborted; ) {
      const { seq } = await document.get();
      assert.ok(seq >= last, `reader ${reader} saw ${last} and then ${seq}`);
      last = seq;
      this.reads.add();
    }
  }

  async #watch(client: Client, reader: number): Promise<void> {
    const { signal } = this.#controller;
    let last: number | undefined;
    try {
      for await (const event of client.document('counter', `writer-${reader}`).watch({ signal })) {
        if (event.kind === 'delta') assert.equal(event.seq, last! + 1, `watcher ${reader}`);
        last = event.seq;
        this.deltas.add();
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }
}

test('a node that cannot hand over drains, says so, and goes at once when told again', {
  timeout: 60_000,
}, async () => {
  // Leaders hold on for seconds without the others, so that the node has something to wait for.
  await withCluster({ groups: 4, flags: TIMING }, async (cluster) => {
    const [node, ...others] = cluster.nodes;
    await leadersSettled(cluster);
    await until('every service serves', async () =>
      (await healthIs(node!, 'SERVING')).every(Boolean),
    );
    for (const other of others) other.signal('SIGSTOP');
    const gone = node!.stop('SIGTERM');
    const logged = (event: string): boolean =>
      node!.log.some((line) => line.includes(`"${event}"`));
    await until('it drains', () => logged('draining'));
    assert.deepEqual(
      await healthIs(node!, 'NOT_SERVING'),
      SERVICES.map(() => true),
    );
    const [code] = await Promise.all([gone, node!.stop('SIGTERM')]);
    assert.equal(code, 1);
    await until('its last word', () => logged('stopped-by-force'));
    assert.ok(!logged('stopped'));
  });
});

const SERVICES = [
  '',
  'deltabase.v1.ClusterService',
  'deltabase.v1.DocumentsService',
  'deltabase.v1.MachinesService',
];

const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING'];

/** Of the whole node and of each service, whether grpc.health.v1 says that it is `status`. */
async function healthIs({ clientAddress }: ProcessNode, status: string): Promise<boolean[]> {
  const client = new GrpcClient(clientAddress, credentials.createInsecure());
  const told = await Promise.all(SERVICES.map((name) => checkHealth(client, name)));
  client.close();
  return told.map((each) => STATUSES[each] === status);
}

/** Health.Check, whose messages have one field each. */
function checkHealth(client: GrpcClient, service: string): Promise<number> {
  const encode = (name: string): Buffer =>
    Buffer.from(`\x0a${String.fromCharCode(name.length)}${name}`);
  const decode = (bytes: Buffer): number => bytes[1] ?? 0;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      encode,
      decode,
      service,
      (error, status) => {
        if (error === null) resolve(status!);
        else reject(error);
      },
    );
  });
}
