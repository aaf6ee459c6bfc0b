// Writers on a real cluster while nodes fail: every writer appends unique tokens to documents chosen at random,
// every few seconds a random node is killed, or meets another fault. In the end no acknowledged token is lost, none
// is there twice, none is there that was refused, every call has settled, and all copies are equal by hash
// (AckedIsDurable, StateIsFold).

import { DeltabaseError, makePrng, type Prng } from '@deltabase/base';
import { type Client, connect } from '@deltabase/client';
import type { ProcessCluster } from '@deltabase/testkit';
import { type Fault, type FaultCounts, inflict } from './faults.js';
import { NodeView } from './node-view.js';
import { readText } from './read-text.js';
import { exampleModule, sleep, until, withCluster } from './scratch.js';

export interface StormOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Default 64. */
  readonly writers?: number;
  /** Default 200. */
  readonly documents?: number;
  /** What nodes meet, one of these at a time. Default: `kill`. */
  readonly faults?: readonly Fault[];
  /** Between two faults, ms; a long one delays the next. Default 3000. */
  readonly faultEveryMs?: number;
  /** The longest that a node is paused, ms. Default 5000. */
  readonly pauseMsMax?: number;
  readonly progress?: (line: string) => void;
}

export interface StormReport {
  readonly acknowledged: number;
  /** Calls that failed, without effect. */
  readonly refused: number;
  /** Calls that ended without an answer; their tokens may be there or not. */
  readonly unknown: number;
  readonly faults: FaultCounts;
  /** The longest time without any acknowledgement, ms. */
  readonly longestGapMs: number;
}

const SPACE = 'text';
const DEADLINE_MS = 20_000;

/** What one writer knows of a token. */
type Fate = 'sent' | 'acknowledged' | 'refused' | 'unknown';

interface Token {
  readonly key: string;
  fate: Fate;
  seq: number;
}

export function storm(options: StormOptions): Promise<StormReport> {
  return withCluster({}, (cluster) => new Storm(cluster, options).run());
}

class Storm {
  readonly #cluster: ProcessCluster;
  readonly #options: StormOptions;
  readonly #random: Prng;
  readonly #tokens = new Map<string, Token>();
  #stopping = false;
  #lastAckMs = performance.now();
  #longestGapMs = 0;

  constructor(cluster: ProcessCluster, options: StormOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#random = makePrng(options.seed);
  }

  async run(): Promise<StormReport> {
    const client = await connect({ addresses: this.#cluster.addresses });
    try {
      await client.machines.deploy(SPACE, await exampleModule('text'));
      const { writers = 64, seconds } = this.#options;
      this.#lastAckMs = performance.now();
      const writing = Array.from({ length: writers }, (_, writer) => this.#write(client, writer));
      const [faults] = await Promise.all([this.#disturb(seconds * 1000), ...writing]);
      await this.#check();
      return this.#report(faults);
    } finally {
      this.#stopping = true;
      await client.close({ abandon: true });
    }
  }

  /** One writer: a token at a time, until the storm is over. */
  async #write(client: Client, writer: number): Promise<void> {
    const random = this.#random.fork(`writer ${writer}`);
    const { documents = 200 } = this.#options;
    for (let n = 0; !this.#stopping; n++) {
      const name = `${writer}.${n}`;
      const token: Token = { key: `doc-${random.below(documents)}`, fate: 'sent', seq: 0 };
      this.#tokens.set(name, token);
      try {
        const payload = { at: 0, text: `${name} ` };
        const handle = client.document(SPACE, token.key);
        const { seq } = await handle.send('insert', payload, { deadlineMs: DEADLINE_MS });
        this.#acknowledged(token, seq);
      } catch (thrown) {
        if (!(thrown instanceof DeltabaseError)) throw thrown;
        token.fate = thrown.details['outcomeUnknown'] === true ? 'unknown' : 'refused';
        this.#options.progress?.(`${name} ${token.fate}: ${thrown.code}, ${thrown.message}`);
      }
    }
  }

  #acknowledged(token: Token, seq: number): void {
    token.fate = 'acknowledged';
    token.seq = seq;
    const now = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAckMs);
    this.#lastAckMs = now;
  }

  /** Lets nodes meet faults for so long, then stops the writers. */
  async #disturb(forMs: number): Promise<FaultCounts> {
    const { faults = ['kill'], faultEveryMs = 3000, pauseMsMax = 5000 } = this.#options;
    const random = this.#random.fork('faults');
    const counts = { kill: 0, pause: 0, term: 0 };
    const startMs = performance.now();
    const passedMs = (): number => performance.now() - startMs;
    // A fault that takes longer than the time between two delays the next; the end stays where it is.
    for (let atMs = faultEveryMs; atMs < forMs; atMs = Math.max(atMs + faultEveryMs, passedMs())) {
      await sleep(Math.max(0, atMs - passedMs()));
      if (this.#stopping) break;
      const node = this.#cluster.nodes[random.below(this.#cluster.nodes.length)]!;
      const fault = faults[random.below(faults.length)]!;
      await inflict(fault, node, { random, pauseMsMax });
      counts[fault]++;
      this.#options.progress?.(
        `${fault} of node ${node.id}; ${this.#count('acknowledged')} acknowledged`,
      );
    }
    await sleep(Math.max(0, forMs - passedMs()));
    this.#stopping = true;
    return counts;
  }

  async #check(): Promise<void> {
    const unsettled = this.#count('sent');
    if (unsettled > 0) throw new Error(`${unsettled} calls never settled`);
    const byKey = new Map<string, [string, Token][]>();
    for (const [name, token] of this.#tokens) {
      const list = byKey.get(token.key);
      if (list === undefined) byKey.set(token.key, [[name, token]]);
      else list.push([name, token]);
    }
    const views = this.#cluster.addresses.map((address) => new NodeView(address));
    for (const [key, tokens] of byKey) await this.#checkDocument(views, key, new Map(tokens));
    for (const view of views) view.close();
  }

  async #checkDocument(
    views: readonly NodeView[],
    key: string,
    tokens: ReadonlyMap<string, Token>,
  ): Promise<void> {
    const seq = Math.max(...[...tokens.values()].map((token) => token.seq));
    if (seq === 0) return;
    let copies = await Promise.all(views.map((view) => view.document(SPACE, key, seq)));
    // A token of unknown fate may still have been on its way to some of them.
    await until(`equal seqs of ${key}`, async () => {
      const latest = Math.max(...copies.map((copy) => copy.seq));
      if (copies.every((copy) => copy.seq === latest)) return true;
      copies = await Promise.all(views.map((view) => view.document(SPACE, key, latest)));
      return false;
    });
    const hashes = new Set(copies.map(({ hash }) => hash));
    if (hashes.size > 1) throw new Error(`copies of ${key} differ: ${[...hashes].join(', ')}`);
    this.#checkTokens(key, tokens, readText(copies[0]!.value).split(' ').filter(Boolean));
  }

  #checkTokens(key: string, tokens: ReadonlyMap<string, Token>, found: readonly string[]): void {
    const counts = new Map<string, number>();
    for (const name of found) counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const [name, count] of counts) {
      if (count > 1) throw new Error(`${name} is in ${key} ${count} times`);
      if (!tokens.has(name)) throw new Error(`${name} is in ${key} and was never sent there`);
    }
    for (const [name, { fate }] of tokens) {
      if (fate === 'acknowledged' && !counts.has(name)) {
        throw new Error(`${name} of ${key} is lost`);
      }
      if (fate === 'refused' && counts.has(name)) {
        throw new Error(`${name} is in ${key}, and its sender was told that it is not`);
      }
    }
  }

  #count(fate: Fate): number {
    let count = 0;
    for (const token of this.#tokens.values()) if (token.fate === fate) count++;
    return count;
  }

  #report(faults: FaultCounts): StormReport {
    return {
      acknowledged: this.#count('acknowledged'),
      refused: this.#count('refused'),
      unknown: this.#count('unknown'),
      faults,
      longestGapMs: Math.round(this.#longestGapMs),
    };
  }
}
