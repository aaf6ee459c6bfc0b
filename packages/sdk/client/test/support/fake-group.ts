// A group of the fake cluster: what packages/engine does with messages, as far as a client can tell, without
// Raft. It dedupes with the real Sessions, checks `after` as the engine does, and forgets like it: when the
// leadership moves, any first part of what was executed survives in the log, and messages that left nothing
// are forgotten.

import { DEFAULT_LIMITS } from '@deltabase/base';
import { type DeltaRecord, type FirstAnswer, type Message, Sessions } from '@deltabase/machine';
import type { VirtualWorld } from './virtual-world.js';

export type FakeResult =
  | { readonly kind: 'accepted'; readonly seq: number; readonly reply: string | undefined }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly details: Record<string, string>;
    };

/** A message at the group's leader, and how its answer leaves. */
export interface FakeSubmission {
  readonly message: Message;
  /** Whether the stream that it came on still stands. */
  isWanted(): boolean;
  answer(result: FakeResult): void;
}

/** What a payload asks for. */
export interface Order {
  /** Appended to the document. */
  readonly token: string;
  /** `odd`, `even`: refused where the document has so many tokens. `read`: changes nothing. */
  readonly mode: 'append' | 'odd' | 'even' | 'read';
  /** Makes it larger. */
  readonly padding: string;
}

interface Pending {
  readonly message: Message;
  readonly answers: ((result: FakeResult) => void)[];
  readonly result: FakeResult;
  /** What it appends; `undefined`: nothing. */
  readonly token: string | undefined;
  /** Whether its answer is in the log though it appends nothing. */
  isRemembered: boolean;
}

export const LOST: FakeResult = failure('UNAVAILABLE', 'the leader changed', {
  outcomeUnknown: 'true',
});

export class FakeGroup {
  readonly #world: VirtualWorld;
  readonly #sessions = new Sessions(DEFAULT_LIMITS);
  /** Committed tokens by document. */
  readonly documents = new Map<string, string[]>();
  /** Tokens of all messages that were ever executed, with or without effect. */
  readonly executed = new Set<string>();
  /** The node that leads; 0: none. */
  leader = 0;
  /** How far the cluster's clock is ahead of the client's, ms. */
  aheadMs = 0;
  #term = 0;
  #queue: FakeSubmission[] = [];
  #pending: Pending[] = [];
  #silent = new Map<string, Set<number>>();
  #turnIsDue = false;

  constructor(world: VirtualWorld) {
    this.#world = world;
  }

  /** A message for the leader. */
  enqueue(submission: FakeSubmission): void {
    this.#queue.push(submission);
    this.#turnSoon();
  }

  /**
   * The leadership ends; `survivors` of what was executed are in the log of whoever leads next. Answers are
   * given unless the node is dead. Returns what was not executed.
   */
  endLeadership(survivors: number, isDead: boolean): FakeSubmission[] {
    this.#term++;
    this.leader = 0;
    const pending = this.#pending;
    this.#pending = [];
    this.#silent = new Map();
    for (const [at, one] of pending.entries()) {
      if (at < survivors) this.#fold(one);
      if (!isDead) for (const answer of one.answers) answer(LOST);
    }
    return this.#queue.splice(0);
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Forgets what left nothing, as the engine does after a while. */
  forgetSilent(): void {
    this.#silent = new Map();
  }

  #turnSoon(): void {
    if (this.#turnIsDue || this.leader === 0) return;
    this.#turnIsDue = true;
    this.#world.after(this.#world.below(3), () => {
      this.#turnIsDue = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.leader === 0) return;
    const count = 1 + this.#world.below(Math.max(1, this.#queue.length));
    for (const submission of this.#queue.splice(0, count)) this.#execute(submission);
    const term = this.#term;
    this.#world.after(1 + this.#world.below(8), () => {
      if (this.#term === term) this.#commit(1 + this.#world.below(4));
    });
    if (this.#queue.length > 0) this.#turnSoon();
  }

  #commit(count: number): void {
    for (const one of this.#pending.splice(0, count)) {
      this.#fold(one);
      for (const answer of one.answers) answer(one.result);
    }
    const term = this.#term;
    if (this.#pending.length === 0) return;
    this.#world.after(1 + this.#world.below(5), () => {
      if (this.#term === term) this.#commit(1 + this.#world.below(4));
    });
  }

  #execute({ message, answer }: FakeSubmission): void {
    const { session, number, after } = message;
    const known = this.#sessions.find(message, this.#wallMs());
    if (known.kind === 'answered') {
      const { seq, reply } = known.answer;
      answer({ kind: 'accepted', seq, reply: reply && new TextDecoder().decode(reply) });
    } else if (known.kind === 'refused') {
      answer(failure(known.error.code, known.error.message));
    } else {
      const pending = this.#pending.find(
        (one) => one.message.session.name === session.name && one.message.number === number,
      );
      if (pending !== undefined) {
        pending.answers.push(answer);
        pending.isRemembered ||= message.retried === true;
      } else if (this.#isInOrder(session.name, after)) this.#run(message, answer);
      else answer(failure('OUT_OF_ORDER', `${after} was not executed`));
    }
  }

  #isInOrder(session: string, after: number): boolean {
    return (
      after === 0 ||
      this.#sessions.has(session, after) ||
      this.#silent.get(session)?.has(after) === true ||
      this.#pending.some(
        (one) => one.message.session.name === session && one.message.number === after,
      )
    );
  }

  #run(message: Message, answer: (result: FakeResult) => void): void {
    const order: Order = JSON.parse(new TextDecoder().decode(message.payload));
    this.executed.add(order.token);
    const length = this.#lengthOf(message);
    const parity = length % 2 === 0 ? 'even' : 'odd';
    const isRefused = order.mode === parity;
    const hasEffect = !isRefused && order.mode !== 'read';
    const seq = hasEffect ? length + 1 : length;
    const result: FakeResult = isRefused
      ? failure('REJECTED', `there are ${length}`)
      : { kind: 'accepted', seq, reply: JSON.stringify(order.token) };
    const token = hasEffect ? order.token : undefined;
    const isRemembered = message.retried === true;
    this.#pending.push({ message, answers: [answer], result, token, isRemembered });
    if (!hasEffect) this.#rememberSilent(message);
  }

  #rememberSilent({ session, number }: Message): void {
    const numbers = this.#silent.get(session.name) ?? new Set();
    this.#silent.set(session.name, numbers.add(number));
  }

  /** Tokens of the document as proposed. */
  #lengthOf({ space, key }: Message): number {
    const name = `${space}/${key}`;
    const proposed = this.#pending.filter(
      (one) => one.token !== undefined && `${one.message.space}/${one.message.key}` === name,
    );
    return (this.documents.get(name)?.length ?? 0) + proposed.length;
  }

  #wallMs(): number {
    return this.#world.wallMs() + this.aheadMs;
  }

  #fold(pending: Pending): void {
    const { message, token, result } = pending;
    if (token === undefined || result.kind === 'failed') {
      if (pending.isRemembered) this.#foldOutcome(pending);
      return;
    }
    const { space, key, session, number } = message;
    const name = `${space}/${key}`;
    const tokens = this.documents.get(name) ?? [];
    this.documents.set(name, tokens);
    tokens.push(token);
    const record: DeltaRecord = {
      ...message,
      seq: result.seq,
      session: session.name,
      openedAt: session.openedAt,
      number,
      settled: session.settled,
      time: this.#wallMs(),
      seed: 0,
      version: 1,
      patch: new Uint8Array(0),
      reply: new TextEncoder().encode(result.reply ?? 'null'),
      effects: [],
      fuel: 0,
      hash: '',
      snapshotAdvised: false,
    };
    this.#sessions.fold(record);
  }

  #foldOutcome({ message, result }: Pending): void {
    const { space, key, session, number } = message;
    const { name, openedAt, settled } = session;
    const answer: FirstAnswer =
      result.kind === 'accepted'
        ? { kind: 'accepted', seq: result.seq, reply: new TextEncoder().encode(result.reply) }
        : { kind: 'failed', code: 'REJECTED', message: result.message };
    const cause = { space, key, session: name, openedAt, number, settled };
    this.#sessions.foldOutcome({ ...cause, time: this.#wallMs(), answer });
  }
}

export function failure(
  code: string,
  message: string,
  details: Record<string, string> = {},
): FakeResult {
  return { kind: 'failed', code, message, details };
}
