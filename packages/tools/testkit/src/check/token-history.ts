// What is known of one document of tokens, and what may still be true: every operation that has ended says how
// far the document was. Each operation's place is its seq, so no operation may show less than what had ended
// before it began (AckedIsDurable, OneAtATime): that is checked at once. In the end the search of
// linearizability.ts decides about the whole history, seqs or not.

import assert from 'node:assert/strict';
import { tokenIn } from '../machines/token-machine.js';
import { checkLinearizable } from './linearizability.js';
import { type Moments, OperationLog } from './operation-log.js';
import { type ListInput, ListModel, type ListOutput } from './token-list.js';

export class TokenHistory {
  /** What clients do and are told, for the search. */
  readonly log: OperationLog<ListInput, ListOutput>;
  readonly #model = new ListModel();
  readonly #name: string;
  /** Tokens that are known to stand at a seq. */
  readonly #tokens = new Map<number, string>();
  /** Hashes of the state by seq. */
  readonly #hashes = new Map<number, string>();
  readonly #sent = new Set<string>();
  readonly #accepted = new Map<string, number>();
  readonly #refused = new Set<string>();
  #known = 0;

  constructor(name: string, moments?: Moments) {
    this.#name = name;
    this.log = new OperationLog(moments);
  }

  /** Tokens whose message was accepted. */
  get acceptedCount(): number {
    return this.#accepted.size;
  }

  /** An operation begins: what it shows must not be before the seq that this returns. */
  begin(): number {
    return this.#known;
  }

  /** A message with `token` may take effect from now on. */
  sent(token: string): void {
    this.#sent.add(token);
  }

  /** The message with `token`, sent when `floor` was known, was answered with the seq that it made. */
  accepted(token: string, seq: number, floor: number): void {
    const before = this.#accepted.get(token);
    assert.ok(
      before === undefined || before === seq,
      this.#say(`${token} at ${before} and ${seq}`),
    );
    if (before !== undefined) return;
    assert.ok(seq > floor, this.#say(`${token} made ${seq} though ${floor} was answered before`));
    assert.ok(!this.#refused.has(token), this.#say(`${token} was refused and accepted`));
    this.#accepted.set(token, seq);
    this.#place(seq, token);
    this.#known = Math.max(this.#known, seq);
  }

  /** The message with `token` was refused for good. */
  refused(token: string): void {
    assert.ok(!this.#accepted.has(token), this.#say(`${token} was accepted and refused`));
    this.#refused.add(token);
  }

  /** Somebody who began when `floor` was known was shown the document at `seq`. */
  saw(seq: number, floor: number): void {
    assert.ok(seq >= floor, this.#say(`${seq} was shown though ${floor} was known before`));
    this.#known = Math.max(this.#known, seq);
  }

  /** A copy, however old, holds these tokens, and this is its hash if it is known (StateIsFold). */
  copy(tokens: readonly unknown[], hash?: string): void {
    const known = this.#hashes.get(tokens.length) ?? hash;
    assert.ok(hash === undefined || known === hash, this.#say(`${tokens.length} has two hashes`));
    if (hash !== undefined) this.#hashes.set(tokens.length, hash);
    for (const [at, element] of tokens.entries()) this.#place(at + 1, tokenIn(element));
  }

  /** A copy, however old, holds this element, which the message at `seq` appended. */
  element(seq: number, element: unknown): void {
    this.#place(seq, tokenIn(element));
  }

  /** The output of an operation that shows these tokens. */
  list(tokens: readonly unknown[]): ListOutput {
    return { kind: 'list', list: this.#model.listOf(tokens.map(tokenIn)) };
  }

  /** Throws unless all operations could have happened one at a time. */
  checkLinearizable(): void {
    const verdict = checkLinearizable(this.#model, this.log.operations);
    if (verdict.kind === 'linearizable') return;
    if (verdict.kind === 'unknown') assert.fail(this.#say(`unknown after ${verdict.steps} steps`));
    const { order, stuck } = verdict;
    const behind = order.slice(-5).map((operation) => JSON.stringify(operation, hideLists));
    assert.fail(
      this.#say(
        `not linearizable: ${JSON.stringify(stuck, hideLists)} fits nowhere; the longest order ` +
          `has ${order.length} operations and ends in ${behind.join(', ')}`,
      ),
    );
  }

  /** The tokens in the end: all that was promised, and nothing that was not sent. */
  end(tokens: readonly unknown[]): void {
    this.copy(tokens);
    const all = tokens.map(tokenIn);
    this.#model.endsWith(all);
    assert.equal(new Set(all).size, all.length, this.#say('a token took effect twice'));
    for (const [token, seq] of this.#accepted) {
      assert.equal(all[seq - 1], token, this.#say(`${token} was accepted at ${seq}`));
    }
    for (const token of all) {
      assert.ok(this.#sent.has(token), this.#say(`${token} was never sent`));
      assert.ok(!this.#refused.has(token), this.#say(`${token} was refused`));
    }
    assert.ok(
      all.length >= this.#known,
      this.#say(`${this.#known} was known, it ends at ${all.length}`),
    );
  }

  #place(seq: number, token: string): void {
    const there = this.#tokens.get(seq);
    assert.ok(there === undefined || there === token, this.#say(`${seq} is ${there} and ${token}`));
    this.#tokens.set(seq, token);
  }

  #say(what: string): string {
    return `${this.#name}: ${what}`;
  }
}

function hideLists(name: string, value: unknown): unknown {
  return name === 'list' ? `${(value as { readonly length: number }).length} tokens` : value;
}
