// Sends messages until they are answered: takes them in as far as there is room, hands them to their
// document's lane, and decides what an answer means by the errors table's retry rule. All of it is
// synchronous; time and streams come from outside.

import { DeltabaseError } from '@deltabase/base';
import {
  answerLost,
  deadlineExceeded,
  errorFromWire,
  finalError,
  givenUp,
  provesExecution,
} from '../errors.js';
import type { ClientLimits } from '../limits.js';
import type { WireError } from '../transport/wire.js';
import type { World } from '../world.js';
import { Deadlines } from './deadlines.js';
import { isQuestion } from './lane.js';
import { Lanes } from './lanes.js';
import type { Returns } from './node-stream.js';
import type { Outgoing } from './outgoing.js';
import { Room } from './room.js';
import type { Sessions } from './sessions.js';
import type { Ways } from './ways.js';

export interface SenderOptions {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly sessions: Sessions;
  readonly ways: Ways;
}

/** A node's advice on when to come back is taken up to here, ms. */
const RETRY_AFTER_MS_MAX = 5000;

export class Sender implements Returns {
  readonly #sessions: Sessions;
  readonly #room: Room;
  readonly #lanes: Lanes;
  readonly #deadlines: Deadlines;
  /** Set once it closes: called when nothing is left. */
  #idle: (() => void) | undefined;

  constructor({ world, limits, sessions, ways }: SenderOptions) {
    this.#sessions = sessions;
    this.#room = new Room(limits, sessions);
    this.#lanes = new Lanes(world, limits, ways);
    this.#deadlines = new Deadlines(world, (nowMs) => this.#sweep(nowMs));
  }

  /** Messages that were let in and are not settled. */
  get unanswered(): number {
    return this.#room.taken;
  }

  /** Documents with something in flight or unanswered. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Sends `message` until it is answered or given up; its receiver is told, now or later. */
  submit(message: Outgoing): void {
    if (this.#idle !== undefined) {
      refuse(message, givenUp(message, 'CANCELLED', 'the client is closing'));
    } else if (this.#room.tryTake(message)) {
      this.#deadlines.add(message.deadlineMs);
      this.#begin(message);
    } else if (this.#room.tryWait(message)) {
      this.#deadlines.add(message.deadlineMs);
    } else {
      refuse(message, tooMany(this.#room.queue.length));
    }
  }

  /** The caller does not want the answer any more. */
  cancel(message: Outgoing): void {
    if (!message.settled) {
      this.#giveUp(message, givenUp(message, 'CANCELLED', 'the caller gave up'));
    }
  }

  /** Ends a message that the caller gave up before it was submitted. */
  refuse(message: Outgoing): void {
    refuse(message, givenUp(message, 'CANCELLED', 'the caller gave up'));
  }

  /** A way to a node has opened. */
  waysOpened(): void {
    this.#lanes.waysOpened();
  }

  /** Takes no more messages; calls `idle` once everything is answered or given up. */
  drain(idle: () => void): void {
    this.#idle = idle;
    this.#maybeIdle();
  }

  /** Gives everything up at once. */
  abandon(): void {
    this.#idle ??= () => {};
    for (const message of [...this.#everything()]) {
      this.#giveUp(message, givenUp(message, 'CANCELLED', 'the client was closed'));
    }
    this.#lanes.close();
    this.#deadlines.close();
  }

  accepted(message: Outgoing, seq: number, reply: string | undefined): void {
    const lane = this.#lanes.takeBack(message);
    if (!message.settled) {
      lane.wasExecuted(message);
      this.#settle(message);
      message.receiver.accepted(message, seq, reply);
    }
    this.#lanes.goOn(lane);
  }

  failed(message: Outgoing, wireError: WireError): void {
    const lane = this.#lanes.takeBack(message);
    if (!message.settled) {
      const error = errorFromWire(wireError);
      if (error.retry === 'never') this.#failForGood(message, error);
      else if (isQuestion(message) && error.retry === 'in-order') this.#wasUnknown(message);
      else this.#failForNow(message, error);
    }
    this.#lanes.goOn(lane);
  }

  skipped(message: Outgoing): void {
    this.#lanes.goOn(this.#lanes.takeBack(message));
  }

  returned(message: Outgoing, why: DeltabaseError): void {
    const mayHaveRun = message.written && !isQuestion(message);
    const lane = this.#lanes.takeBack(message);
    // Even where nobody waits for this one: nothing may be sent on that stream any more.
    lane.broken = true;
    lane.needsRest = true;
    if (!message.settled) {
      if (mayHaveRun) markUncertain(message);
      message.lastError = why;
    }
    this.#lanes.goOn(lane);
  }

  #failForGood(message: Outgoing, error: DeltabaseError): void {
    if (provesExecution(error.code)) message.lane!.wasExecuted(message);
    if (error.code === 'SESSION_EXPIRED') this.#sessions.rotate();
    this.#settle(message);
    message.receiver.failed(message, finalError(message, error));
  }

  #wasUnknown(message: Outgoing): void {
    if (!message.lane!.isLost(message)) return;
    this.#settle(message);
    message.receiver.failed(message, answerLost(message));
  }

  #failForNow(message: Outgoing, error: DeltabaseError): void {
    const lane = message.lane!;
    message.lastError = error;
    lane.broken = true;
    if (error.retry === 'in-order') return;
    if (error.details['outcomeUnknown'] === true && !isQuestion(message)) markUncertain(message);
    lane.needsRest = true;
    const retryAfterMs = Number(error.details['retryAfterMs'] ?? 0);
    lane.retryAfterMs = Math.max(lane.retryAfterMs, Math.min(retryAfterMs, RETRY_AFTER_MS_MAX));
  }

  #begin(message: Outgoing): void {
    this.#sessions.add(message);
    this.#lanes.add(message);
  }

  /** Takes a message that was begun out of all accounts but that of its copy in flight. */
  #settle(message: Outgoing): void {
    message.settled = true;
    message.release?.();
    this.#room.give(message);
    this.#sessions.remove(message);
    message.lane!.remove(message);
    this.#beginWaiting();
  }

  #giveUp(message: Outgoing, error: DeltabaseError): void {
    message.lastError = error;
    if (message.lane === undefined) {
      refuse(message, error);
      this.#beginWaiting();
      return;
    }
    this.#settle(message);
    message.receiver.failed(message, error);
    this.#lanes.goOn(message.lane as Parameters<Lanes['goOn']>[0]);
  }

  #beginWaiting(): void {
    for (let next = this.#room.takeNext(); next !== undefined; next = this.#room.takeNext()) {
      this.#begin(next);
    }
    this.#maybeIdle();
  }

  #maybeIdle(): void {
    if (this.#idle === undefined || !this.#room.isEmpty) return;
    this.#lanes.close();
    this.#deadlines.close();
    this.#idle();
  }

  #sweep(nowMs: number): number {
    let next = Infinity;
    const expired: Outgoing[] = [];
    for (const message of this.#everything()) {
      if (message.deadlineMs <= nowMs) expired.push(message);
      else if (message.deadlineMs < next) next = message.deadlineMs;
    }
    for (const message of expired) this.#giveUp(message, deadlineExceeded(message));
    return next;
  }

  /** All messages without an answer, begun or waiting. */
  *#everything(): Generator<Outgoing> {
    for (const session of this.#sessions.live) {
      for (let at = session.first; at !== undefined; at = at.newer) yield at;
    }
    for (const message of this.#room.queue) {
      if (!message.settled) yield message;
    }
  }
}

/** Ends a message that was never begun. */
function refuse(message: Outgoing, error: DeltabaseError): void {
  message.settled = true;
  message.release?.();
  message.receiver.failed(message, error);
}

/** A copy of it may have been executed. */
function markUncertain(message: Outgoing): void {
  message.lostCopies++;
  message.unasked = true;
}

function tooMany(waiting: number): DeltabaseError {
  return new DeltabaseError(
    'OVERLOADED',
    `${waiting} messages of this client wait to be sent already: await answers before sending more`,
    { details: { outcomeUnknown: false } },
  );
}
