// Sends messages to the system space: one after the other under a session of its own, each again and again until it
// is answered for good, so that a step that is retried takes effect once.

import { ERRORS, encodeUtf8 } from '@deltabase/base';
import { type Message, type SessionRef, SYSTEM_SPACE } from '@deltabase/machine';
import type { AnswerSink, Result, Submission } from '../results.js';
import { type Task, wait } from '../task.js';

export interface SystemSendersHost {
  nowMs(): number;
  wallMs(): number;
  /** Begins the names of this life's sessions. */
  readonly sessionPrefix: string;
  submit(submission: Submission): void;
}

/** Whose messages they are, and until when answers are of use, by the monotonic clock, ms. */
export interface SenderOptions {
  readonly principal: string;
  readonly expiresMs: number;
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Makes senders, each with a session that was never used. */
export class SystemSenders {
  readonly #host: SystemSendersHost;
  #sessions = 0;
  #timers: Timer[] = [];

  constructor(host: SystemSendersHost) {
    this.#host = host;
  }

  make(options: SenderOptions): SystemSender {
    const name = `${this.#host.sessionPrefix}${++this.#sessions}`;
    const session: SessionRef = { name, openedAt: Math.floor(this.#host.wallMs()), settled: 0 };
    return new SystemSender({
      ...options,
      session,
      nowMs: () => this.#host.nowMs(),
      submit: (submission) => this.#host.submit(submission),
      after: (ms, run) => void this.#timers.push({ atMs: this.#host.nowMs() + ms, run }),
    });
  }

  tick(nowMs: number): void {
    const due = this.#timers.filter(({ atMs }) => atMs <= nowMs);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
  }

  close(): void {
    this.#timers = [];
  }
}

interface SystemSenderHost extends SenderOptions {
  readonly session: SessionRef;
  nowMs(): number;
  submit(submission: Submission): void;
  /** Calls `done` after `ms`. */
  after(ms: number, done: () => void): void;
}

const RETRY_MS = 100;

export class SystemSender {
  readonly #host: SystemSenderHost;
  #lastNumber = 0;

  /** Use `SystemSenders.make`. */
  constructor(host: SystemSenderHost) {
    this.#host = host;
  }

  /** The answer to a message; the last one that there was once time is up. */
  *send(key: string, channel: string, payload: unknown): Task<Result> {
    const { session, principal, expiresMs } = this.#host;
    const number = ++this.#lastNumber;
    const message: Message = {
      space: SYSTEM_SPACE,
      key,
      channel,
      payload: encodeUtf8(JSON.stringify(payload)),
      principal,
      // One after the other: those before have their answers.
      session: { ...session, settled: number },
      number,
      after: 0,
    };
    for (let attempt = 1; ; attempt++) {
      const result = yield* this.#sendOnce({ ...message, retried: attempt > 1 });
      const isFinal = result.kind === 'accepted' || ERRORS[result.code].retry === 'never';
      if (isFinal || this.#host.nowMs() >= expiresMs) return result;
      yield* wait<void>((done) => this.#host.after(RETRY_MS, () => done()));
    }
  }

  #sendOnce(message: Message): Task<Result> {
    const { expiresMs } = this.#host;
    return wait((done) => {
      const sink: AnswerSink = { answer: (_tag, result) => done(result), flush() {} };
      this.#host.submit({ message, sink, tag: 0, expiresMs });
    });
  }
}
