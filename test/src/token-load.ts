// Writers that append unique tokens to documents chosen at random, and what each knows of the fate of its tokens.
// In the end no acknowledged token is lost, none is there twice, none is there that was refused, every call has
// settled, and all copies are equal by seq and hash (AckedIsDurable, StateIsFold).

import { DeltabaseError, type Prng } from '@deltabase/base';
import { type Client, connect } from '@deltabase/client';
import type { ProcessCluster } from '@deltabase/testkit';
import { NodeView } from './node-view.js';
import { readText } from './read-text.js';
import { exampleModule, until } from './scratch.js';

export interface TokenLoadOptions {
  readonly random: Prng;
  /** Default 64. */
  readonly writers?: number;
  /** Default 200. */
  readonly documents?: number;
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

/** Runs `use` while writers write to a cluster; then every call must settle, and every promise be kept. */
export async function underTokenLoad<T>(
  cluster: ProcessCluster,
  options: TokenLoadOptions,
  use: (load: TokenLoad) => Promise<T>,
): Promise<{ readonly result: T; readonly report: TokenLoadReport }> {
  const client = await connect({ addresses: cluster.addresses });
  let load: TokenLoad | undefined;
  try {
    await client.machines.deploy(SPACE, await exampleModule('text'));
    load = new TokenLoad(client, options);
    const result = await use(load);
    const report = await load.stop();
    await load.check(cluster);
    return { result, report };
  } finally {
    load?.abandon();
    await client.close({ abandon: true });
  }
}

export class TokenLoad {
  readonly #client: Client;
  readonly #options: TokenLoadOptions;
  readonly #tokens = new Map<string, Token>();
  readonly #writing: readonly Promise<void>[];
  #isStopping = false;
  #acknowledged = 0;
  #lastAckMs = performance.now();
  #longestGapMs = 0;

  /** Begins to write; the machine of examples/text must be deployed as `text`. */
  constructor(client: Client, options: TokenLoadOptions) {
    this.#client = client;
    this.#options = options;
    const { writers = 64 } = options;
    this.#writing = Array.from({ length: writers }, (_, writer) => this.#write(writer));
    // `stop` tells of what went wrong; it may come later.
    for (const writing of this.#writing) writing.catch(() => {});
  }

  /** Tokens acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged;
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

  /** Waits until every call has settled. Rejects if one failed with anything but an answer. */
  async stop(): Promise<TokenLoadReport> {
    this.#isStopping = true;
    await Promise.all(this.#writing);
    const unsettled = this.#count('sent');
    if (unsettled > 0) throw new Error(`${unsettled} calls never settled`);
    return {
      acknowledged: this.#acknowledged,
      refused: this.#count('refused'),
      unknown: this.#count('unknown'),
      longestGapMs: Math.round(this.#longestGapMs),
    };
  }

  /** Holds every copy of every document against what is known; after `stop`, and with these nodes up. */
  async check({ nodes }: Pick<ProcessCluster, 'nodes'>): Promise<void> {
    const byKey = new Map<string, Map<string, Token>>();
    for (const [name, token] of this.#tokens) {
      const tokens = byKey.get(token.key) ?? new Map<string, Token>();
      byKey.set(token.key, tokens.set(name, token));
    }
    const views = nodes.map(({ clientAddress }) => new NodeView(clientAddress));
    try {
      for (const [key, tokens] of byKey) await checkDocument(views, key, tokens);
    } finally {
      for (const view of views) view.close();
    }
  }

  /** One writer: a token at a time, until it is told to stop. */
  async #write(writer: number): Promise<void> {
    const { documents = 200, deadlineMs = DEADLINE_MS, progress } = this.#options;
    const random = this.#options.random.fork(`writer ${writer}`);
    for (let n = 0; !this.#isStopping; n++) {
      const name = `${writer}.${n}`;
      const token: Token = { key: `doc-${random.below(documents)}`, fate: 'sent', seq: 0 };
      this.#tokens.set(name, token);
      try {
        const handle = this.#client.document(SPACE, token.key);
        const { seq } = await handle.send('insert', { at: 0, text: `${name} ` }, { deadlineMs });
        this.#accepted(token, seq);
      } catch (thrown) {
        if (!(thrown instanceof DeltabaseError)) throw thrown;
        token.fate = thrown.details['outcomeUnknown'] === true ? 'unknown' : 'refused';
        progress?.(`${name} ${token.fate}: ${thrown.code}, ${thrown.message}`);
      }
    }
  }

  #accepted(token: Token, seq: number): void {
    token.fate = 'acknowledged';
    token.seq = seq;
    this.#acknowledged++;
    const now = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAckMs);
    this.#lastAckMs = now;
  }

  #count(fate: Fate): number {
    let count = 0;
    for (const token of this.#tokens.values()) if (token.fate === fate) count++;
    return count;
  }
}

async function checkDocument(
  views: readonly NodeView[],
  key: string,
  tokens: ReadonlyMap<string, Token>,
): Promise<void> {
  const seq = Math.max(...[...tokens.values()].map((token) => token.seq));
  if (seq === 0) return;
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
  checkTokens(key, tokens, readText(copies[0]!.value).split(' ').filter(Boolean));
}

function checkTokens(
  key: string,
  tokens: ReadonlyMap<string, Token>,
  found: readonly string[],
): void {
  const counts = new Map<string, number>();
  for (const name of found) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, count] of counts) {
    if (count > 1) throw new Error(`${name} is in ${key} ${count} times`);
    if (!tokens.has(name)) throw new Error(`${name} is in ${key} and was never sent there`);
  }
  for (const [name, { fate }] of tokens) {
    if (fate === 'acknowledged' && !counts.has(name)) throw new Error(`${name} of ${key} is lost`);
    if (fate === 'refused' && counts.has(name)) {
      throw new Error(`${name} is in ${key}, and its sender was told that it is not`);
    }
  }
}
