// Writers that put unique tokens into documents chosen at random, and readers that look at them, through the client
// and through each node, while others do harm to the cluster. In the end every call has settled, every document keeps what token-record.ts says, and all
// copies are equal by seq and hash (StateIsFold).

import { DeltabaseError, type Prng } from '@deltabase/base';
import type { Client } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import { Moments, type ProcessCluster, type ProcessNode, Silence } from '@deltabase/testkit';
import { NodeView } from './node-view.js';
import { readText } from './read-text.js';
import { connectAndDeploy, sleep, until } from './scratch.js';
import { type Fate, TokenRecord } from './token-record.js';

export interface TokenLoadOptions {
  readonly random: Prng;
  /** Default 64. */
  readonly writers?: number;
  /** Nodes that are also read from directly, whoever leads, each of which must show something. Default: none. */
  readonly nodes?: ProcessCluster['nodes'];
  /** Default 200. */
  readonly documents?: number;
  /** The groups that the cluster has, to tell how long each of them was silent. Default 1: all count as one. */
  readonly groups?: number;
  /** Until a call is given up, ms. Default 20,000. */
  readonly deadlineMs?: number;
  /** Told of calls that fail. */
  readonly progress?: (line: string) => void;
}

export interface TokenLoadReport {
  readonly acknowledged: number;
  /** Calls that failed, without effect. */
  readonly refused: number;
  /** Calls that ended without an answer; their tokens may be there or not. */
  readonly unknown: number;
  /** Reads that showed a document. */
  readonly reads: number;
  /** The longest time without any acknowledgement, ms. */
  readonly longestGapMs: number;
}

const SPACE = 'text';
const DEADLINE_MS = 20_000;
/** Between two reads of a reader. */
const READ_MS = 20;
const CLIENT_READERS = 2;
/** Documents that are looked at together in the end. */
const CHECKS_AT_ONCE = 16;

/** Runs `use` while clients write to and read from a cluster; then every promise must be kept. */
export async function underTokenLoad<T>(
  cluster: Pick<ProcessCluster, 'addresses' | 'nodes' | 'groups'>,
  options: TokenLoadOptions,
  use: (load: TokenLoad) => Promise<T>,
): Promise<{ readonly result: T; readonly report: TokenLoadReport }> {
  const client = await connectAndDeploy(cluster.addresses, SPACE);
  const load = new TokenLoad(client, { nodes: cluster.nodes, groups: cluster.groups, ...options });
  try {
    const result = await use(load);
    const report = await load.stop();
    await load.check(cluster.nodes);
    return { result, report };
  } finally {
    load.abandon();
    await client.close({ abandon: true });
  }
}

export class TokenLoad {
  readonly #client: Client;
  readonly #options: TokenLoadOptions;
  readonly #moments = new Moments();
  readonly #records = new Map<string, TokenRecord>();
  readonly #working: Promise<void>[];
  /** Reads so far that showed a document, by reader. */
  readonly #readsOf = new Map<string, number>();
  #isStopping = false;
  #acknowledged = 0;
  readonly #silence = new Silence();
  /** Of each group, since the step began. */
  readonly #groupSilences: readonly Silence[];

  /** Begins to write and read; the machine of examples/text must be deployed as `text`. */
  constructor(client: Client, options: TokenLoadOptions) {
    const { writers = 64, nodes = [], groups = 1 } = options;
    this.#client = client;
    this.#options = options;
    this.#groupSilences = Array.from({ length: groups }, () => new Silence());
    this.#working = [
      ...Array.from({ length: writers }, (_, writer) => this.#write(writer)),
      ...Array.from({ length: CLIENT_READERS }, (_, reader) => this.#readFromAny(reader)),
    ];
    // `stop` tells of what went wrong; it may come later.
    for (const working of this.#working) working.catch(() => {});
    for (const node of nodes) this.readFrom(node);
  }

  /** Begins to read from one more node directly; something must be read there before `stop`. */
  readFrom(node: ProcessNode): void {
    const working = this.#readFrom(node);
    working.catch(() => {});
    this.#working.push(working);
  }

  /** Tokens acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Reads so far that showed a document. */
  get reads(): number {
    return [...this.#readsOf.values()].reduce((sum, reads) => sum + reads, 0);
  }

  /** A step of whatever is done to the cluster begins. */
  beginStep(): void {
    for (const silence of this.#groupSilences) silence.forget();
  }

  /** The longest time in which a group acknowledged nothing since the step began, ms; the present one counts. */
  get stepGapMs(): number {
    return Math.max(...this.#groupSilences.map(({ longestMs }) => longestMs));
  }

  /** Waits until `count` more tokens are acknowledged. */
  async progressed(count: number, limitMs = 30_000): Promise<void> {
    const goal = this.#acknowledged + count;
    await until(`${count} more acknowledgements`, () => this.#acknowledged >= goal, limitMs);
  }

  /** Sends nothing more. */
  abandon(): void {
    this.#isStopping = true;
  }

  /** Waits until every call has settled. Rejects if one failed as none may, or if a reader was never shown anything. */
  async stop(): Promise<TokenLoadReport> {
    this.#isStopping = true;
    await Promise.all(this.#working);
    const unsettled = this.#count('sent');
    if (unsettled > 0) throw new Error(`${unsettled} calls never settled`);
    for (const [reader, reads] of this.#readsOf) {
      if (reads === 0) throw new Error(`${reader} was never shown a document`);
    }
    return {
      acknowledged: this.#acknowledged,
      refused: this.#count('refused'),
      unknown: this.#count('unknown'),
      reads: this.reads,
      longestGapMs: Math.round(this.#silence.longestMs),
    };
  }

  /** Holds every copy that `nodes` have of every document against what is known; after `stop`. */
  async check(nodes: ProcessCluster['nodes']): Promise<void> {
    const views = nodes.map(({ clientAddress }) => new NodeView(clientAddress));
    const records = [...this.#records].filter(([, { seq }]) => seq > 0).values();
    const checkOnes = async (): Promise<void> => {
      for (const [key, record] of records) await checkOne(views, key, record);
    };
    try {
      await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, checkOnes));
    } finally {
      for (const view of views) view.close();
    }
  }

  /** One writer: a token at a time, until it is told to stop. */
  async #write(writer: number): Promise<void> {
    const { deadlineMs = DEADLINE_MS, progress } = this.#options;
    const random = this.#options.random.fork(`writer ${writer}`);
    for (let n = 0; !this.#isStopping; n++) {
      const name = `${writer}.${n}`;
      const key = this.#anyKey(random);
      const sent = this.#record(key).send(name);
      try {
        const handle = this.#client.document(SPACE, key);
        const { seq } = await handle.send('insert', { at: 0, text: `${name} ` }, { deadlineMs });
        sent.acknowledged(seq);
        this.#noteAcknowledged(key);
      } catch (thrown) {
        if (!(thrown instanceof DeltabaseError)) throw thrown;
        const isUnknown = thrown.details['outcomeUnknown'] === true;
        if (isUnknown) sent.unknown();
        else sent.refused();
        const fate = isUnknown ? 'unknown' : 'refused';
        progress?.(`${name} ${fate}: ${thrown.code}, ${thrown.message}`);
      }
    }
  }

  #readFromAny(reader: number): Promise<void> {
    const { deadlineMs = DEADLINE_MS } = this.#options;
    return this.#read(`reader ${reader}`, async (key) => {
      const { value } = await this.#client.document(SPACE, key).get({ deadlineMs });
      return readText(value);
    });
  }

  #readFrom({ id, clientAddress }: ProcessNode): Promise<void> {
    return NodeView.with(clientAddress, (view) =>
      this.#read(`reader of node ${id}`, async (key) => {
        const { value } = await view.latest(SPACE, key);
        return readText(value);
      }),
    );
  }

  /**
   * One reader: a document at a time, as it is now. Whatever it is shown must fit; that it is shown need not, while it
   * is told to ask again later. A document that is not there is one in which nothing was put.
   */
  async #read(name: string, get: (key: string) => Promise<string>): Promise<void> {
    const random = this.#options.random.fork(name);
    this.#readsOf.set(name, 0);
    while (!this.#isStopping) {
      const key = this.#anyKey(random);
      const read = this.#record(key).read();
      try {
        read.saw(await get(key));
        this.#readsOf.set(name, this.#readsOf.get(name)! + 1);
      } catch (thrown) {
        if (!(thrown instanceof DeltabaseError)) throw thrown;
        if (thrown.code === 'DOCUMENT_NOT_FOUND') read.saw('');
        else if (thrown.retry === 'later') read.failed();
        else throw thrown;
      }
      await sleep(READ_MS);
    }
  }

  #anyKey(random: Prng): string {
    const { documents = 200 } = this.#options;
    return `doc-${random.below(documents)}`;
  }

  #record(key: string): TokenRecord {
    const record = this.#records.get(key) ?? new TokenRecord(key, this.#moments);
    this.#records.set(key, record);
    return record;
  }

  #noteAcknowledged(key: string): void {
    this.#acknowledged++;
    this.#silence.answered();
    // Groups of documents are numbered from 1 on.
    this.#groupSilences[groupOf(SPACE, key, this.#groupSilences.length) - 1]!.answered();
  }

  #count(fate: Fate): number {
    let count = 0;
    for (const record of this.#records.values()) count += record.count(fate);
    return count;
  }
}

async function checkOne(
  views: readonly NodeView[],
  key: string,
  record: TokenRecord,
): Promise<void> {
  const text = await equalCopies(views, key, record.seq).catch((cause: unknown) => {
    throw new Error(`${key} at seq ${record.seq}, as every node should have it`, { cause });
  });
  record.check(text);
}

/** The text of a document once all nodes have the same seq of it, at least `seq`. Throws if they differ. */
async function equalCopies(views: readonly NodeView[], key: string, seq: number): Promise<string> {
  const copiesAt = (atLeast: number) =>
    Promise.all(views.map((view) => view.document(SPACE, key, atLeast)));
  let copies = await copiesAt(seq);
  // A token of unknown fate may still have been on its way to some of them.
  await until(`equal seqs of ${key}`, async () => {
    const latest = Math.max(...copies.map((copy) => copy.seq));
    if (copies.every((copy) => copy.seq === latest)) return true;
    copies = await copiesAt(latest);
    return false;
  });
  const hashes = new Set(copies.map(({ hash }) => hash));
  if (hashes.size > 1) throw new Error(`copies of ${key} differ: ${[...hashes].join(', ')}`);
  return readText(copies[0]!.value);
}
