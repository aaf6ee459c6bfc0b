// The order of one document's messages: what a lane may send next, and what an answer means for the others.
//
// The promise: messages of one client to one document take effect in the order of the calls, each exactly
// once, however many are on their way at a time and whatever happens to nodes, leaders and connections.
//
// How it is kept while all goes well. Each message is sent right behind the one before it, on the same stream,
// with `after` naming that one if it has no answer yet (0 if none is unanswered). A leader refuses a message
// (OUT_OF_ORDER) unless the one it names was executed: is in the log, in flight at that leader, or settled. So
// of a sequence that is cut anywhere (the leader changes between two frames or between two messages of one, a
// node forwards one and not the other, a queue is full for one and not for the next) a first part is executed
// and the rest is refused: by induction along `after`, nothing overtakes.
//
// How it is kept when something comes back. A message that fails for now (by the errors table), or whose
// stream ended, breaks its lane: nothing more is sent until everything in flight has come back, which it
// does, by an answer or by the end of the stream. So of each message there is at most one copy whose answer is
// awaited, and an answer never belongs to an earlier copy. Then all that is unanswered is sent again in order,
// after a pause if there was a reason for one, with `after` computed anew: what was answered meanwhile, with
// success or for good without, needs no naming any more, since it will never be sent again. A message that
// took effect has left that in the log, so its copy gets the first answer (exactly once).
//
// Messages that leave nothing in the log are the hard part. One that the handler refused, or that changed
// nothing, is executed, and the one after it runs; then the leader is lost, or just the connection, with both
// answers. The first is unknown to everyone now, the second is in the log. Were the first sent again, it
// would run behind the second, where it may well take effect: out of order. So before anything is sent again,
// the lane asks: where any message but the first may have been executed without an answer, it sends all such
// as questions, `after` naming a number that no message ever has (sessions.ts keeps one for each). A question
// is answered if its message is known and refused otherwise, but never executed. Where a later message turns
// out to have been executed, an earlier one that is unknown was executed before it and left nothing: it must
// not run again, and ends in the error `answerLost`. With nothing executed behind it, sending it again is
// safe. A document with a single unanswered message, the common case, needs no question.
//
// Leaders. A lane that is empty or has come back takes the way to whoever is thought to lead; while something
// is in flight it stays on its stream, and a new message waits for that to drain where another node turns out
// to lead. Which way is taken never matters for order, only `after` does.
//
// Sessions. A lane's messages of a new session wait until those of the old have their answers, because `after`
// names a number of the same session.
//
// What this cannot keep: a message that its caller gave up (deadline, abort) may still be executed by a copy
// that is on its way, then perhaps behind later ones; the error says that its outcome is unknown. A node that
// stands still may hold copies for long, and send them on when it goes on: to a message that was sent before
// without an answer (`retried`), the cluster remembers any answer, so no late copy ever contradicts what the
// caller was told. Only the order between messages without an answer could suffer: a late copy may run after a
// question found its message unknown. Its leader remembers it for half a minute, and if it is lost within that
// time too, a later message may be executed before an earlier one that is sent again.

import type { Outgoing } from './outgoing.js';
import { unusedBefore } from './sessions.js';

/** Whether the copy of `message` that is in flight only asks. */
export function isQuestion({ number, after }: Outgoing): boolean {
  return after === unusedBefore(number);
}

/** Where a lane's messages are on their way; lanes only compare it. */
export type Way = object;

/** A document with unanswered messages. */
export class Lane<Stream extends Way = Way> {
  readonly name: string;
  group: number;
  /** Unanswered messages in the order of the calls. */
  first: Outgoing | undefined;
  last: Outgoing | undefined;
  /** The first that was not sent; none behind it was. */
  unsent: Outgoing | undefined;
  /** Copies that have not come back, and the stream they are on. */
  inFlight = 0;
  stream: Stream | undefined;
  /** Something came back and must be sent again, in order, once everything is back. */
  broken = false;
  /** What is in flight are questions. */
  asking = false;
  /** It pauses, or has no way to go, and will be resumed. */
  resting = false;
  /** Rounds that came back without any message having been answered. */
  attempt = 0;
  /** This round failed for a reason that time may mend, and how long it should be given at least, ms. */
  needsRest = false;
  retryAfterMs = 0;
  /** The highest number of a message that is known to have been executed: lower ones ran before it. */
  #executed = 0;

  constructor(name: string, group: number) {
    this.name = name;
    this.group = group;
  }

  /** Whether nothing is left to be kept for it. */
  get isEmpty(): boolean {
    return this.first === undefined && this.inFlight === 0;
  }

  add(message: Outgoing): void {
    message.previous = this.last;
    if (this.last === undefined) this.first = message;
    else this.last.next = message;
    this.last = message;
    this.unsent ??= message;
  }

  /** `message` has its answer or was given up. */
  remove(message: Outgoing): void {
    const { previous, next } = message;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    if (this.unsent === message) this.unsent = next;
    message.previous = undefined;
    message.next = undefined;
  }

  /** Takes the next message to be sent, with its `after`; `undefined` if none may be sent now. */
  takeUnsent(): Outgoing | undefined {
    const message = this.unsent;
    if (message === undefined || this.broken) return undefined;
    const { previous } = message;
    if (previous !== undefined && previous.session !== message.session) return undefined;
    message.after = previous === undefined ? 0 : previous.number;
    this.unsent = message.next;
    return message;
  }

  /** A message was executed: those called before it ran before it. */
  wasExecuted(message: Outgoing): void {
    if (message.number > this.#executed) this.#executed = message.number;
    this.attempt = 0;
  }

  /** Messages that must not be sent again before somebody was asked about them, in order. */
  questions(): Outgoing[] {
    const overtaken: Outgoing[] = [];
    const unasked: Outgoing[] = [];
    for (let at = this.first; at !== undefined; at = at.next) {
      if (at.number < this.#executed) overtaken.push(at);
      else if (at.unasked) unasked.push(at);
    }
    // Whether the very first was executed may be found out by sending it: nothing else of it is at stake.
    const isOnlyFirst = unasked.length === 0 || (unasked.length === 1 && unasked[0] === this.first);
    return overtaken.length === 0 && isOnlyFirst ? [] : [...overtaken, ...unasked];
  }

  /** Makes the next copy of `message` a question. */
  ask(message: Outgoing): void {
    this.asking = true;
    message.after = unusedBefore(message.number);
    message.askedBelow = this.#executed;
  }

  /** A question found `message` unknown. Returns whether it ran and left nothing: its answer is lost. */
  isLost(message: Outgoing): boolean {
    message.unasked = false;
    return message.number < message.askedBelow;
  }

  /** Everything is back and nothing is in question: all of it is to be sent again. */
  startOver(): void {
    this.broken = false;
    this.asking = false;
    this.unsent = this.first;
  }
}
