// The sessions under which a client's messages are retried (exactly-once rests on session and number, see
// proto/deltabase/v1/documents.proto). All of a client's sessions draw from one series of numbers, so a number
// names a message without its session, and a later session has the higher numbers throughout. Messages get the
// even numbers. The odd one before each belongs to it and is never given to any: it is what a question about
// the message names (lane.ts), and it counts as unsettled for as long as the message does.
//
// A session says when it ends, so that the cluster forgets it soon after its last message could be retried: a
// client that lives for a moment must not be remembered for an hour. No message of it runs after that, however
// late a copy of it comes.
//
// A new session begins long before the cluster would refuse the old one for its age, and when the numbers
// between the lowest unsettled and the next are too many: a group remembers an answer until it is settled,
// and one message that gets no answer must not make it remember those of all others. Messages keep the
// session they began in, so a rotation never touches what is in flight. Order across it is kept by the lane:
// a document's messages of the new session wait until those of the old one have their answers, because
// `after` means a number of the same session.

import { assert } from '@deltabase/base';
import type { ClientLimits } from '../limits.js';
import type { WireSession } from '../transport/wire.js';
import type { World } from '../world.js';
import type { Outgoing } from './outgoing.js';

/** How far this machine's clock may be behind the cluster's, ms: else sessions end too early. */
const CLOCK_SLACK_MS = 2 * 60_000;
/** Numbers that each message takes: its own and an unused one. */
const NUMBERS_EACH = 2;

/** One session, and its unsettled messages in order of their numbers. */
export class Session {
  readonly name: string;
  readonly openedAtMs: number;
  first: Outgoing | undefined;
  last: Outgoing | undefined;

  constructor(name: string, openedAtMs: number) {
    this.name = name;
    this.openedAtMs = openedAtMs;
  }
}

export class Sessions {
  readonly #world: World;
  readonly #limits: ClientLimits;
  readonly #live: Session[] = [];
  #current: Session;
  #nextNumber = NUMBERS_EACH;

  constructor(world: World, limits: ClientLimits) {
    this.#world = world;
    this.#limits = limits;
    this.#current = this.#open();
  }

  /** Sessions with unsettled messages, and the one for the next message. */
  get live(): readonly Session[] {
    return this.#live;
  }

  /** Whether one more message can get a number. */
  get hasRoom(): boolean {
    return !this.#isWide() || this.#live.length < this.#limits.sessionsMax;
  }

  /** Gives `message` its number, the next one, and its session. */
  add(message: Outgoing): void {
    if (this.#isOld() || this.#isWide()) this.rotate();
    const session = this.#current;
    message.number = this.#nextNumber;
    this.#nextNumber += NUMBERS_EACH;
    message.session = session;
    message.older = session.last;
    if (session.last === undefined) session.first = message;
    else session.last.newer = message;
    session.last = message;
  }

  /** `message` has its answer or was given up. */
  remove(message: Outgoing): void {
    const { session, older, newer } = message;
    assert(session !== undefined, 'a numbered message has a session');
    if (older === undefined) session.first = newer;
    else older.newer = newer;
    if (newer === undefined) session.last = older;
    else newer.older = older;
    message.older = undefined;
    message.newer = undefined;
    if (session.first === undefined && session !== this.#current) this.#close(session);
  }

  /** The lowest unsettled number of `session`, or the lowest that its next message would have. */
  settledOf(session: Session): number {
    return unusedBefore(session.first?.number ?? this.#nextNumber);
  }

  /** What a frame says of `session`. */
  announce(session: Session): WireSession {
    const { name, openedAtMs } = session;
    const { sessionAgeMsMax, deadlineMsMax } = this.#limits;
    // Its last message may begin when it is as old as it gets, and is retried until its deadline.
    const expiresAtMs = openedAtMs + sessionAgeMsMax + deadlineMsMax + CLOCK_SLACK_MS;
    return { name, openedAtMs, settled: this.settledOf(session), expiresAtMs };
  }

  /** Lets the next message begin a new session. */
  rotate(): void {
    const old = this.#current;
    this.#current = this.#open();
    if (old.first === undefined) this.#close(old);
  }

  #open(): Session {
    const session = new Session(this.#world.uniqueName(), this.#world.wallMs());
    this.#live.push(session);
    return session;
  }

  #close(session: Session): void {
    this.#live.splice(this.#live.indexOf(session), 1);
  }

  /** By the wall clock, like the cluster; also when that was set back since. */
  #isOld(): boolean {
    const ageMs = this.#world.wallMs() - this.#current.openedAtMs;
    return ageMs > this.#limits.sessionAgeMsMax || ageMs < 0;
  }

  #isWide(): boolean {
    const first = this.#current.first?.number ?? this.#nextNumber;
    return (this.#nextNumber - first) / NUMBERS_EACH >= this.#limits.sessionWidthMax;
  }
}

/** The number that belongs to the message `number` and that no message ever has. */
export function unusedBefore(number: number): number {
  return number - 1;
}
