// Watchers that read nothing for a minute while their document changes a thousand times a second, all of them at the node
// that leads it. What they miss must cost the node no memory, and nobody else time; when they wake, each gets what its
// policy says, and has the leader's hash.

import assert from 'node:assert/strict';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { Client, DocumentHandle } from '@deltabase/client';
import { filterOf, fromJson, hashText, viewOf } from '@deltabase/delta';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster } from '@deltabase/testkit';
import { connectAndDeploy, sleep, until, withCluster } from './scratch.js';
import { type SleeperRequest, SleepingWatcher } from './sleeping-watcher.js';

export interface SleepersOptions {
  /** How long they read nothing. */
  readonly seconds: number;
  /** Messages a second. */
  readonly rate: number;
  /** How many there are, of all kinds together. */
  readonly watchers: number;
  /** What the node may grow by while they sleep, beside what it may hold back for each that wants every delta; MiB. */
  readonly growthMiBMax: number;
  /** `watchQueueBytesMax` of the nodes: what may be held back for one watcher; that of limits.ts by default. */
  readonly queueBytesMax?: number;
  readonly progress?: (line: string) => void;
}

export interface SleepersReport {
  /** Deltas that they missed, and how many were answered a second while they slept. */
  readonly deltas: number;
  readonly deltasPerSecond: number;
  /** Bytes of deltas that they missed, all together, MiB: what keeping them for each would have taken. */
  readonly missedMiB: number;
  /** The most memory that the leader's process had: before they began, while they slept, until all were awake; MiB. */
  readonly memoryMiB: { readonly before: number; readonly asleep: number; readonly awake: number };
  /** What a message waited, median and one of a hundred, ms: before they began, and while they slept. */
  readonly waitMs: { readonly before: readonly number[]; readonly asleep: readonly number[] };
  /** What one of each kind got when it woke. */
  readonly woken: Readonly<Record<string, Woken>>;
  /** How long the last took to come to the leader's seq, ms. */
  readonly settledMs: number;
}

interface Sleeper {
  readonly kind: string;
  readonly watcher: SleepingWatcher;
}

interface Woken {
  readonly events: number;
  readonly kiB: number;
  /** The most deltas that one event stood for. */
  readonly longestStep: number;
}

const SPACE = 'seats';
const KEY = 'hall';
const ROWS = 20;
const SEATS_PER_ROW = 20;
/** Of 400 seats, which are taken in turn, five a message. */
const POINTERS = ['/seats/1-1', '/seats/7-7', '/sold'];
const SEATS_PER_MESSAGE = 5;

const KINDS: Readonly<Record<string, Omit<SleeperRequest, 'space' | 'key'>>> = {
  every: {},
  latest: { policy: 'WATCH_POLICY_LATEST' },
  'ten a second': { policy: 'WATCH_POLICY_PER_SECOND', perSecond: 10 },
  'every of a view': { pointers: POINTERS },
  'latest of a view': { policy: 'WATCH_POLICY_LATEST', pointers: POINTERS },
};

/** A process that begins to work grows for a while, whoever watches. */
const WARM_MS = 8000;
/** How often it is told how much memory there is, while they sleep. */
const PARTS = 6;
/** From so many seconds on what is held back has come to its limit in two thirds of them. */
const LONG_S = 45;
const PLATEAU_MIB = 32;
const LOOK_MS = 200;
const SETTLE_MS = 120_000;
/** Messages without an answer: more would be what the memory of the node is full of. */
const OPEN_MAX = 300;
/** A busy machine may leave a group without a leader for a while. */
const DEADLINE_MS = 120_000;
const MIB = 1024 * 1024;

export function sleepThrough(options: SleepersOptions): Promise<SleepersReport> {
  const { queueBytesMax = DEFAULT_LIMITS.watchQueueBytesMax } = options;
  // On a busy machine a node would refuse watches: that is not what is looked at here.
  const limits = `turnDelayMsMax=60000,watchQueueBytesMax=${queueBytesMax}`;
  return withCluster({ flags: { limits } }, async (cluster) => {
    const client = await connectAndDeploy(cluster.addresses, SPACE);
    try {
      const hall = client.document(SPACE, KEY);
      await hall.send('open', { rows: ROWS, seatsPerRow: SEATS_PER_ROW });
      return await watchAsleep(cluster, client, options);
    } finally {
      await client.close({ abandon: true });
    }
  });
}

async function watchAsleep(
  cluster: ProcessCluster,
  client: Client,
  options: SleepersOptions,
): Promise<SleepersReport> {
  const { seconds, rate, watchers: count, progress = () => {} } = options;
  const hall = client.document(SPACE, KEY);
  const { id, address } = await leaderOf(cluster, client);
  const memory = new Memory(client, id);
  const writer = new Writer(hall, rate);
  let sleepers: readonly Sleeper[] = [];
  try {
    await sleep(Math.max(WARM_MS, (seconds * 1000) / 4));
    const before = { memory: memory.take(), load: writer.take() };
    progress(`${before.memory} MiB before anybody watches`);
    sleepers = beginAll(address, count);
    await until('every watcher has a state', () => sound(sleepers).every(({ seq }) => seq > 0));
    for (const { watcher } of sleepers) watcher.sleep();
    const { seq: fromSeq } = await hall.get({ pointer: '/sold' });
    writer.take();
    memory.take();
    const parts: number[] = [];
    for (let part = 1; part <= PARTS; part++) {
      await sleep((seconds * 1000) / PARTS);
      const most = memory.take();
      parts.push(most);
      progress(`${most} MiB at most until ${Math.round((part * seconds) / PARTS)} s of sleep`);
    }
    const asleep = { memory: Math.max(...parts), load: writer.take() };
    await writer.stop();
    const { settledMs, deltas } = await wakeAll(hall, sleepers, fromSeq);
    const report: SleepersReport = {
      ...{ deltas, settledMs, woken: wokenByKind(sleepers) },
      deltasPerSecond: Math.round(asleep.load.count / seconds),
      missedMiB: Math.round((bytesOfEvery(sleepers) * count) / MIB),
      memoryMiB: { before: before.memory, asleep: asleep.memory, awake: memory.take() },
      waitMs: { before: before.load.waitMs, asleep: asleep.load.waitMs },
    };
    checkPolicies(report);
    for (const sleeper of sleepers) checkEvents(sleeper);
    checkGrowth(report, options);
    if (seconds >= LONG_S) checkPlateau(parts);
    return report;
  } finally {
    writer.halt();
    await memory.stop();
    for (const { watcher } of sleepers) watcher.close();
  }
}

function beginAll(address: string, count: number): readonly Sleeper[] {
  const kinds = Object.keys(KINDS);
  return Array.from({ length: count }, (_, at) => {
    const kind = kinds[at % kinds.length]!;
    const request = { space: SPACE, key: KEY, ...KINDS[kind] };
    return { kind, watcher: new SleepingWatcher(address, request) };
  });
}

/** Wakes all; each comes to where the document is, and holds what the leader does. */
async function wakeAll(
  hall: DocumentHandle,
  sleepers: readonly Sleeper[],
  fromSeq: number,
): Promise<{ readonly settledMs: number; readonly deltas: number }> {
  const { seq, hash, value } = await hall.get();
  const wakeMs = performance.now();
  for (const { watcher } of sleepers) watcher.wake();
  const areThere = (): boolean => sound(sleepers).every((each) => each.seq === seq);
  await until(`all are at ${seq}`, areThere, SETTLE_MS);
  const settledMs = Math.round(performance.now() - wakeMs);
  const viewHash = hashText(viewOf(fromJson(value), filterOf(POINTERS)));
  for (const { kind, watcher } of sleepers) {
    assert.equal(watcher.hash, KINDS[kind]!.pointers === undefined ? hash : viewHash, kind);
  }
  return { settledMs, deltas: seq - fromSeq };
}

/** The node grew no more than it may, whatever was missed. */
function checkGrowth(report: SleepersReport, options: SleepersOptions): void {
  const { watchers, growthMiBMax, queueBytesMax = DEFAULT_LIMITS.watchQueueBytesMax } = options;
  const { before, asleep } = report.memoryMiB;
  const queues = watchers / Object.keys(KINDS).length;
  const most = growthMiBMax + (queues * queueBytesMax) / MIB;
  const grown = asleep - before;
  assert.ok(grown <= most, `${grown} MiB more, at most ${most}: ${JSON.stringify(report)}`);
}

/** What they miss goes on growing; the memory does not. */
function checkPlateau(parts: readonly number[]): void {
  const earlier = Math.max(...parts.slice(0, (PARTS * 2) / 3));
  const later = Math.max(...parts.slice((PARTS * 2) / 3));
  assert.ok(later <= earlier + PLATEAU_MIB, `${parts.join(', ')} MiB, and it goes on`);
}

/** Each policy gave what it promises, however much was missed. */
function checkPolicies({ woken, deltas }: SleepersReport): void {
  for (const kind of ['latest', 'ten a second']) {
    // What lay in the window of the connection, and then one step.
    const { events, longestStep } = woken[kind]!;
    assert.ok(events < deltas / 20, `${kind}: ${events} events for ${deltas} deltas`);
    assert.ok(longestStep > deltas / 20, `${kind}: ${longestStep} of ${deltas} in one`);
  }
}

/** Who wants each got each, whether of the document or of the view. */
function checkEvents({ kind, watcher }: Sleeper): void {
  const { events, sleptSeq, seq } = watcher;
  if (kind === 'every') assert.equal(events, seq - sleptSeq, 'events for deltas');
  if (kind !== 'every of a view') return;
  let changes = 0;
  for (let at = sleptSeq + 1; at <= seq; at++) if (changesView(at)) changes++;
  assert.equal(events, changes, 'events for changes of the view');
}

/** The first delta opens the hall, each behind it takes the next seats. */
function changesView(seq: number): boolean {
  const first = ((seq - 2) * SEATS_PER_MESSAGE) % (ROWS * SEATS_PER_ROW);
  const taken = Array.from({ length: SEATS_PER_MESSAGE }, (_, at) => seatName(first + at));
  return taken.some((name) => POINTERS.includes(`/seats/${name}`));
}

function wokenByKind(sleepers: readonly Sleeper[]): Record<string, Woken> {
  const woken: Record<string, Woken> = {};
  for (const { kind, watcher } of sleepers) {
    const { events, bytes, longestStep } = watcher;
    const most = woken[kind] ?? { events: 0, kiB: 0, longestStep: 0 };
    woken[kind] = {
      events: Math.max(most.events, events),
      kiB: Math.max(most.kiB, Math.round(bytes / 1024)),
      longestStep: Math.max(most.longestStep, longestStep),
    };
  }
  return woken;
}

/** What one that wants every delta got, in bytes. */
function bytesOfEvery(sleepers: readonly Sleeper[]): number {
  return sleepers.find(({ kind }) => kind === 'every')!.watcher.bytes;
}

/** Their watchers; throws what is wrong with one. */
function sound(sleepers: readonly Sleeper[]): readonly SleepingWatcher[] {
  const watchers = sleepers.map(({ watcher }) => watcher);
  const failed = watchers.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) throw failed.failure;
  return watchers;
}

async function leaderOf(
  { nodes, groups }: ProcessCluster,
  client: Client,
): Promise<{ readonly id: number; readonly address: string }> {
  const group = groupOf(SPACE, KEY, groups);
  for (const report of await client.cluster.nodes()) {
    if (report.kind !== 'status') continue;
    const found = report.status.groups.find((each) => each.group === group);
    if (found?.role !== 'leader') continue;
    const id = report.status.node;
    return { id, address: nodes.find((node) => node.id === id)!.clientAddress };
  }
  throw new Error('no node says that it leads');
}

/** The most memory that the process of a node has had since it was last asked. */
class Memory {
  readonly #client: Client;
  readonly #node: number;
  readonly #looking: Promise<void>;
  #most = 0;
  #stopped = false;

  constructor(client: Client, node: number) {
    this.#client = client;
    this.#node = node;
    this.#looking = this.#look();
  }

  /** MiB. */
  take(): number {
    const most = Math.round(this.#most / MIB);
    this.#most = 0;
    return most;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (!this.#stopped) {
      for (const report of await this.#client.cluster.nodes()) {
        if (report.kind !== 'status' || report.status.node !== this.#node) continue;
        this.#most = Math.max(this.#most, report.status.counters?.processBytes ?? 0);
      }
      await sleep(LOOK_MS);
    }
  }
}

/** Takes one seat after the other, so many a second, or fewer where the cluster does not keep up. */
class Writer {
  readonly #hall: DocumentHandle;
  readonly #rate: number;
  readonly #open = new Set<Promise<unknown>>();
  readonly #running: Promise<void>;
  #waits: number[] = [];
  #count = 0;
  #stopped = false;
  #failure: unknown;

  constructor(hall: DocumentHandle, rate: number) {
    this.#hall = hall;
    this.#rate = rate;
    this.#running = this.#write();
  }

  /** Messages answered since it was last asked, and what they waited: the median, and one of a hundred; ms. */
  take(): { readonly count: number; readonly waitMs: readonly number[] } {
    const waits = this.#waits.sort((a, b) => a - b);
    this.#waits = [];
    const at = (part: number): number => Math.round(waits[Math.floor(waits.length * part)] ?? 0);
    return { count: waits.length, waitMs: [at(0.5), at(0.99)] };
  }

  /** Sends nothing more. */
  halt(): void {
    this.#stopped = true;
  }

  /** The same; resolves once everything is answered, rejects if anything was refused. */
  async stop(): Promise<void> {
    this.halt();
    await this.#running;
    await Promise.all(this.#open);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #write(): Promise<void> {
    let lastMs = performance.now();
    let due = 0;
    while (!this.#stopped) {
      await sleep(5);
      const nowMs = performance.now();
      due += ((nowMs - lastMs) * this.#rate) / 1000;
      lastMs = nowMs;
      for (; due >= 1 && this.#open.size < OPEN_MAX; due--) this.#send();
      due = Math.min(due, OPEN_MAX);
    }
  }

  #send(): void {
    // Also where many run in one millisecond, each is another one than the last of its seats.
    const holdMs = 1 + (this.#count % 1000);
    const first = this.#count++ * SEATS_PER_MESSAGE;
    const seats = Array.from({ length: SEATS_PER_MESSAGE }, (_, at) => seatName(first + at));
    const sentMs = performance.now();
    const sent = this.#hall
      .send('hold', { seats, holdMs }, { deadlineMs: DEADLINE_MS })
      .then(
        () => void this.#waits.push(performance.now() - sentMs),
        (thrown: unknown) => {
          this.#failure ??= thrown;
        },
      )
      .finally(() => this.#open.delete(sent));
    this.#open.add(sent);
  }
}

function seatName(number: number): string {
  const seat = number % (ROWS * SEATS_PER_ROW);
  return `${1 + Math.floor(seat / SEATS_PER_ROW)}-${1 + (seat % SEATS_PER_ROW)}`;
}
