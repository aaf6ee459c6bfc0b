// What a leader has executed, by message id, beside what is in the log: a retry of a message in flight waits for
// its answer instead of running again (AckedIsDurable), one of a message that left nothing gets the answer it
// had, and a message that must come after another can tell whether that one ran. Gone with the leadership, and
// bounded: the log alone decides then. What must be known for ever is put there (proposals.ts, `addOutcome`).

import { assert, type Limits } from '@deltabase/base';
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
  /** How the message ended, if it left no delta. */
  readonly end: Result | undefined;
  #others: Array<{ sink: AnswerSink; tag: number }> | undefined;

  constructor({ message, sink, tag }: Submission, end?: Result) {
    this.end = end;
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

/** A message that ended without a delta, a while ago; it is not in flight any more, or will not be soon. */
class SilentEnd {
  readonly end: Result;
  readonly #space: string;
  readonly #key: string;

  constructor({ space, key }: Message, end: Result) {
    this.end = end;
    this.#space = space;
    this.#key = key;
  }

  isTo({ space, key }: Message): boolean {
    return this.#key === key && this.#space === space;
  }
}

/** Ends without a delta, by session and number. */
type SilentEnds = Map<string, Map<number, SilentEnd>>;

type SilentLimits = Pick<Limits, 'silentAnswersMax' | 'silentBytesMax' | 'silentAnswerMs'>;

export class InFlight {
  readonly #limits: SilentLimits;
  readonly #pending = new Map<string, Map<number, PendingAnswer>>();
  #count = 0;
  /** Those of now, and those of a while ago. */
  #silent: SilentEnds = new Map();
  #silentBefore: SilentEnds = new Map();
  #silentCount = 0;
  #silentBytes = 0;
  #silentSinceMs = 0;

  constructor(limits: SilentLimits) {
    this.#limits = limits;
  }

  /** Answers that are owed. */
  get count(): number {
    return this.#count;
  }

  /** The message if it was executed: in flight, or remembered since it left no delta. */
  find({ session, number }: Message): PendingAnswer | SilentEnd | undefined {
    return (
      this.#pending.get(session.name)?.get(number) ??
      this.#silent.get(session.name)?.get(number) ??
      this.#silentBefore.get(session.name)?.get(number)
    );
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

  /** Answers without a delta that are remembered; as many may be kept from before. */
  get silentCount(): number {
    return this.#silentCount;
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

  /** A message has run without leaving a delta. */
  addSilent(message: Message, result: Result): void {
    const { session, number } = message;
    if (session.name === '') return;
    const { silentAnswersMax, silentBytesMax } = this.#limits;
    if (this.#silentCount >= silentAnswersMax || this.#silentBytes >= silentBytesMax)
      this.#rotate();
    let ends = this.#silent.get(session.name);
    if (ends === undefined) {
      ends = new Map();
      this.#silent.set(session.name, ends);
    }
    ends.set(number, new SilentEnd(message, result));
    this.#silentCount++;
    this.#silentBytes += contentBytes(result);
  }

  /** Forgets messages without a delta that ran too long ago. */
  forgetOld(nowMs: number): void {
    if (nowMs - this.#silentSinceMs < this.#limits.silentAnswerMs) return;
    this.#silentSinceMs = nowMs;
    this.#rotate();
  }

  #rotate(): void {
    this.#silentBefore = this.#silent;
    this.#silent = new Map();
    this.#silentCount = 0;
    this.#silentBytes = 0;
  }
}

function contentBytes(result: Result): number {
  return result.kind === 'accepted' ? (result.reply?.length ?? 0) : result.message.length;
}
