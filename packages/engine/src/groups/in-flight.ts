// What a leader has executed and not yet answered, by message id: a retry of a message in flight waits for its
// answer instead of running again (AckedIsDurable), and a message that must come after another can tell
// whether that one ran. Gone with the leadership; the log alone decides then.

import type { Message } from '@deltabase/machine';
import type { AnswerSink, Result, Submission } from '../results.js';

/** One executed message and everyone who waits for its answer. */
export class PendingAnswer {
  readonly session: string;
  readonly number: number;
  readonly #sink: AnswerSink;
  readonly #tag: number;
  #others: Array<{ sink: AnswerSink; tag: number }> | undefined;

  constructor({ message, sink, tag }: Submission) {
    this.session = message.session.name;
    this.number = message.number;
    this.#sink = sink;
    this.#tag = tag;
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
    for (const { sink, tag } of this.#others ?? []) {
      sink.answer(tag, result);
      touched.add(sink);
    }
  }
}

/** Executed messages that changed nothing are remembered for so many of a session, to keep its order. */
const SILENT_MAX = 1024;

export class InFlight {
  readonly #pending = new Map<string, Map<number, PendingAnswer>>();
  readonly #silent = new Map<string, Set<number>>();

  find(message: Message): PendingAnswer | undefined {
    return this.#pending.get(message.session.name)?.get(message.number);
  }

  /** Whether message `number` was executed, be it in flight or without any effect. */
  has(session: string, number: number): boolean {
    const pending = this.#pending.get(session);
    if (pending?.has(number)) return true;
    return this.#silent.get(session)?.has(number) ?? false;
  }

  add(pending: PendingAnswer): void {
    if (pending.session === '') return;
    let numbers = this.#pending.get(pending.session);
    if (numbers === undefined) {
      numbers = new Map();
      this.#pending.set(pending.session, numbers);
    }
    numbers.set(pending.number, pending);
  }

  remove({ session, number }: PendingAnswer): void {
    const numbers = this.#pending.get(session);
    if (numbers === undefined) return;
    numbers.delete(number);
    if (numbers.size === 0) this.#pending.delete(session);
  }

  /** A message has run without leaving anything in the log. */
  addSilent({ session, number }: Message): void {
    if (session.name === '') return;
    let numbers = this.#silent.get(session.name);
    if (numbers === undefined) {
      numbers = new Set();
      this.#silent.set(session.name, numbers);
    }
    numbers.add(number);
    if (numbers.size > SILENT_MAX) forgetSettled(numbers, session.settled);
  }

  /** Drops the memory of sessions that have nothing in flight; for the passing of time. */
  forgetIdle(): void {
    for (const session of this.#silent.keys()) {
      if (!this.#pending.has(session)) this.#silent.delete(session);
    }
  }
}

/** What the client has settled need not be remembered; of the rest the oldest goes if it is too much. */
function forgetSettled(numbers: Set<number>, settled: number): void {
  for (const number of numbers) {
    if (number < settled || numbers.size > SILENT_MAX) numbers.delete(number);
  }
}
