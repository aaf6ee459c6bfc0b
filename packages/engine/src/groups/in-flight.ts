// What a leader has executed and not yet answered, by message id: a retry of a message in flight waits for its
// answer instead of running again (AckedIsDurable), and a message that must come after another can tell
// whether that one ran. Gone with the leadership; the log alone decides then.

import { assert } from '@deltabase/base';
import type { Message } from '@deltabase/machine';
import type { AnswerSink, Result, Submission } from '../results.js';

/** One executed message and everyone who waits for its answer. */
export class PendingAnswer {
  readonly session: string;
  readonly number: number;
  readonly #space: string;
  readonly #key: string;
  readonly #sink: AnswerSink;
  readonly #tag: number;
  #others: Array<{ sink: AnswerSink; tag: number }> | undefined;

  constructor({ message, sink, tag }: Submission) {
    this.session = message.session.name;
    this.number = message.number;
    this.#space = message.space;
    this.#key = message.key;
    this.#sink = sink;
    this.#tag = tag;
  }

  /** Answers it will give. */
  get count(): number {
    return 1 + (this.#others?.length ?? 0);
  }

  /** Whether it went to the same document as `message`: else its number is used twice. */
  isTo({ space, key }: Message): boolean {
    return this.#key === key && this.#space === space;
  }

  /** Another submission of the same message waits too. */
  join(sink: AnswerSink, tag: number): void {
    this.#others ??= [];
    this.#others.push({ sink, tag });
  }

  /** Tells everyone; `touched` collects the sinks to flush. */
  answer(result: Result, touched: Set<AnswerSink>): void {
    this.#sink.answer(this.#tag, result);
    touched.add(this.#sink);
    if (this.#others === undefined) return;
    for (const { sink, tag } of this.#others) {
      sink.answer(tag, result);
      touched.add(sink);
    }
  }
}

export class InFlight {
  readonly #pending = new Map<string, Map<number, PendingAnswer>>();
  #count = 0;
  /**
   * Messages that ran and left nothing in the log, by session, to keep its order: those of now and of a
   * while ago. A client that learns too late that one of them is forgotten sends in order again.
   */
  #silent = new Map<string, Set<number>>();
  #silentBefore = new Map<string, Set<number>>();

  /** Answers that are owed. */
  get count(): number {
    return this.#count;
  }

  find(message: Message): PendingAnswer | undefined {
    return this.#pending.get(message.session.name)?.get(message.number);
  }

  /** Whether message `number` was executed, be it in flight or without any effect. */
  has(session: string, number: number): boolean {
    return (
      (this.#pending.get(session)?.has(number) ?? false) ||
      (this.#silent.get(session)?.has(number) ?? false) ||
      (this.#silentBefore.get(session)?.has(number) ?? false)
    );
  }

  /** An answer is owed for a message that was not executed: a retry of it does not wait for that. */
  owe(pending: PendingAnswer): void {
    this.#count += pending.count;
  }

  /** A message was executed. */
  add(pending: PendingAnswer): void {
    this.owe(pending);
    if (pending.session === '') return;
    let numbers = this.#pending.get(pending.session);
    if (numbers === undefined) {
      numbers = new Map();
      this.#pending.set(pending.session, numbers);
    }
    numbers.set(pending.number, pending);
  }

  /** `sink` waits for the answer of `pending` too. */
  join(pending: PendingAnswer, sink: AnswerSink, tag: number): void {
    this.#count++;
    pending.join(sink, tag);
  }

  /** The answer is given. */
  remove(pending: PendingAnswer): void {
    this.#count -= pending.count;
    assert(this.#count >= 0, 'no more answers are given than are owed');
    const numbers = this.#pending.get(pending.session);
    if (numbers?.get(pending.number) !== pending) return;
    numbers.delete(pending.number);
    if (numbers.size === 0) this.#pending.delete(pending.session);
  }

  /** A message has run without leaving anything in the log. */
  addSilent({ session, number }: Message): void {
    if (session.name === '') return;
    const numbers = this.#silent.get(session.name);
    if (numbers === undefined) this.#silent.set(session.name, new Set([number]));
    else numbers.add(number);
  }

  /** Forgets messages without effect that ran longer ago than the last call. */
  forgetOld(): void {
    this.#silentBefore = this.#silent;
    this.#silent = new Map();
  }
}
