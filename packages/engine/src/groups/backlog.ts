// Messages that a group's leader has taken and not executed, oldest first. A message whose document or machine
// is not in memory waits aside with all that come after it for the same document, so that the others go on;
// once it is there they come before everything else, in their order (OneAtATime). Bounded by count and bytes.

import { assert, type Limits } from '@deltabase/base';
import type { LocalDocument } from '../documents/local-document.js';
import { Fifo } from '../fifo.js';
import type { Submission } from '../results.js';

export class Backlog {
  readonly #limits: Limits;
  readonly #queue = new Fifo<Submission>();
  /** Were aside, and can be executed now. */
  readonly #released = new Fifo<Submission>();
  readonly #aside = new Map<LocalDocument, Submission[]>();
  #count = 0;
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** All messages in here. */
  get count(): number {
    return this.#count;
  }

  /** Of their payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `next` has one. */
  get hasNext(): boolean {
    return this.#queue.length + this.#released.length > 0;
  }

  /** Takes a message in; `false`: too many are here already. */
  push(submission: Submission): boolean {
    // What waits to be proposed may be as large as what waits to be committed.
    const { groupQueueMax, uncommittedBytesMax } = this.#limits;
    const bytes = submission.message.payload.length;
    if (this.#count >= groupQueueMax) return false;
    if (this.#count > 0 && this.#bytes + bytes > uncommittedBytesMax) return false;
    this.#queue.push(submission);
    this.#count++;
    this.#bytes += bytes;
    return true;
  }

  /** Takes out the message to execute next; it may be put `aside`. */
  next(): Submission | undefined {
    const submission = this.#released.shift() ?? this.#queue.shift();
    if (submission !== undefined) this.#removed(submission);
    return submission;
  }

  /** Whether messages to `local` wait aside. */
  isAside(local: LocalDocument): boolean {
    return this.#aside.has(local);
  }

  /** Has `submission` wait until its document is released. */
  aside(local: LocalDocument, submission: Submission): void {
    const waiting = this.#aside.get(local);
    if (waiting === undefined) this.#aside.set(local, [submission]);
    else waiting.push(submission);
    local.parked = true;
    this.#count++;
    this.#bytes += submission.message.payload.length;
  }

  /** What messages to `local` wait for is here. */
  release(local: LocalDocument): void {
    for (const submission of this.#aside.get(local) ?? []) this.#released.push(submission);
    this.#aside.delete(local);
    local.parked = false;
  }

  /** Takes out messages whose time is up: `expired` tells of each whether it is. */
  expire(expired: (submission: Submission) => boolean): void {
    for (const [local, submissions] of this.#aside) {
      const live = submissions.filter((submission) => !this.#isExpired(submission, expired));
      this.#aside.set(local, live);
      if (live.length === 0) this.release(local);
    }
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      if (!this.#isExpired(next, expired)) break;
      this.#queue.shift();
    }
  }

  /** Takes everything out. */
  drain(): Submission[] {
    for (const local of [...this.#aside.keys()]) this.release(local);
    this.#count = 0;
    this.#bytes = 0;
    return [...this.#released.drain(), ...this.#queue.drain()];
  }

  #isExpired(submission: Submission, expired: (submission: Submission) => boolean): boolean {
    if (!expired(submission)) return false;
    this.#removed(submission);
    return true;
  }

  #removed(submission: Submission): void {
    this.#count--;
    this.#bytes -= submission.message.payload.length;
    assert(this.#count >= 0 && this.#bytes >= 0, 'no more is taken out than was put in');
  }
}
