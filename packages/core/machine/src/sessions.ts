// Who has already been answered: a group's memory of message ids, a fold of its delta records like
// everything else, so every copy holds the same one and it survives failover (AckedIsDurable, thesis §6.3).
//
// Bounded without ever forgetting too early: a client settles what it has answers to; a session whose
// opening lies more than `sessionAgeMsMax` back is refused and only then forgotten, so a message that could
// still be retried is always known. Replaying records that were already folded changes nothing.

import { assert, DeltabaseError, type Limits, pack, unpack } from '@deltabase/base';
import type { Answer, Message } from './message.js';
import { nameHash } from './names.js';
import type { DeltaRecord } from './record.js';

/** What a group knows of a message id. */
export type Known =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly error: DeltabaseError };

interface Session {
  readonly openedAt: number;
  settled: number;
  readonly answers: Map<number, Remembered>;
}

interface Remembered extends Answer {
  /** nameHash of the document, to notice a number that is used twice. */
  readonly document: number;
}

const SESSION_VERSION = 1;
const SWEEP_INTERVAL_MS = 60_000;
const UNKNOWN: Known = { kind: 'unknown' };

/** The sessions of one group. */
export class Sessions {
  readonly #limits: Limits;
  readonly #sessions = new Map<string, Session>();
  /** Names changed (`true`) or forgotten (`false`) since the last `takeChanges`. */
  readonly #changes = new Map<string, boolean>();
  #time = 0;
  #sweptAt = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Sessions remembered. */
  get size(): number {
    return this.#sessions.size;
  }

  /** The latest delta time folded, ms since 1970: no later delta of the group may be earlier. */
  get time(): number {
    return this.#time;
  }

  /** Folds the cause of one delta record. */
  fold(record: DeltaRecord): void {
    this.#time = Math.max(this.#time, record.time);
    if (record.session !== '') this.#remember(record);
    if (this.#time - this.#sweptAt >= SWEEP_INTERVAL_MS) this.#sweep();
  }

  /** What is known of a message that arrives at `now`, ms; `now` is never before `time`. */
  find(message: Message, now: number): Known {
    const { name, openedAt } = message.session;
    if (name === '') return UNKNOWN;
    if (openedAt > now + this.#limits.clockSkewMsMax) return refused(clockAhead(openedAt - now));
    if (openedAt < now - this.#limits.sessionAgeMsMax) return refused(sessionTooOld());
    const session = this.#sessions.get(name);
    if (session === undefined) return this.#admitSession();
    return knownIn(session, message, this.#limits.sessionWindowMax);
  }

  /** Whether message `number` of the session took effect or was settled by its client. */
  has(name: string, number: number): boolean {
    const session = this.#sessions.get(name);
    return session !== undefined && (number < session.settled || session.answers.has(number));
  }

  /** What changed since the last call, for storage: a session's bytes, or `undefined` to delete it. */
  takeChanges(): Array<{ name: string; bytes: Uint8Array | undefined }> {
    const changes = [];
    for (const [name, kept] of this.#changes) {
      changes.push({ name, bytes: kept ? this.#encode(name) : undefined });
    }
    this.#changes.clear();
    return changes;
  }

  /** Loads a stored session. `bytes` come from `takeChanges`; throws DATA_CORRUPT otherwise. */
  load(name: string, bytes: Uint8Array): void {
    this.#sessions.set(name, decodeSession(bytes));
  }

  /** Sets the clock of a group that is being loaded. */
  loadTime(time: number): void {
    this.#time = Math.max(this.#time, time);
  }

  #remember(record: DeltaRecord): void {
    const session = this.#open(record.session, record.openedAt);
    if (record.number < session.settled) return; // Replayed, and settled meanwhile.
    session.answers.set(record.number, {
      seq: record.seq,
      // The record's buffer is a whole log entry: a copy lets go of it.
      reply: record.reply?.slice(),
      document: nameHash(record.space, record.key),
    });
    this.#settle(session, record.settled);
    this.#changes.set(record.session, true);
  }

  #open(name: string, openedAt: number): Session {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const session: Session = { openedAt, settled: 0, answers: new Map() };
    this.#sessions.set(name, session);
    return session;
  }

  /** Numbers come nearly in order, so what can be forgotten stands first; a straggler goes a bit later. */
  #settle(session: Session, settled: number): void {
    if (settled <= session.settled) return;
    session.settled = settled;
    for (const number of session.answers.keys()) {
      if (number >= settled) break;
      session.answers.delete(number);
    }
  }

  #admitSession(): Known {
    const max = this.#limits.sessionsPerGroupMax;
    if (this.#sessions.size < max) return UNKNOWN;
    return refused(
      new DeltabaseError(
        'OVERLOADED',
        `the group remembers ${max} sessions already: reuse one session for many messages`,
      ),
    );
  }

  #sweep(): void {
    this.#sweptAt = this.#time;
    const oldest = this.#time - this.#limits.sessionAgeMsMax;
    for (const [name, session] of this.#sessions) {
      if (session.openedAt >= oldest) continue;
      this.#sessions.delete(name);
      this.#changes.set(name, false);
    }
  }

  #encode(name: string): Uint8Array {
    const session = this.#sessions.get(name);
    assert(session !== undefined, 'a changed session is remembered');
    const answers = [];
    for (const [number, { seq, reply, document }] of session.answers) {
      if (number >= session.settled) answers.push([number, seq, reply ?? null, document]);
    }
    const fields = [SESSION_VERSION, session.openedAt, session.settled, answers];
    return pack(fields).slice();
  }
}

function knownIn(session: Session, message: Message, windowMax: number): Known {
  if (message.number < session.settled) return refused(alreadySettled(message.number));
  const answer = session.answers.get(message.number);
  if (answer === undefined) {
    return session.answers.size < windowMax ? UNKNOWN : refused(windowFull(windowMax));
  }
  if (answer.document === nameHash(message.space, message.key)) return { kind: 'answered', answer };
  return refused(
    new DeltabaseError(
      'INVALID_ARGUMENT',
      `message ${message.number} of this session went to another document: number each message anew`,
    ),
  );
}

function decodeSession(bytes: Uint8Array): Session {
  const fields = unpack(bytes);
  if (!Array.isArray(fields) || fields[0] !== SESSION_VERSION) {
    throw new DeltabaseError('DATA_CORRUPT', 'a stored session has an unknown version or form');
  }
  const [, openedAt, settled, stored] = fields;
  const answers = new Map<number, Remembered>();
  for (const [number, seq, reply, document] of stored) {
    answers.set(number, { seq, reply: reply ?? undefined, document });
  }
  return { openedAt, settled, answers };
}

function refused(error: DeltabaseError): Known {
  return { kind: 'refused', error };
}

function clockAhead(byMs: number): DeltabaseError {
  return new DeltabaseError(
    'INVALID_ARGUMENT',
    `the session was opened ${byMs} ms in the future: set this client's clock`,
    { details: { aheadMs: byMs } },
  );
}

function sessionTooOld(): DeltabaseError {
  return new DeltabaseError(
    'SESSION_EXPIRED',
    'the session is too old to retry in: read the document to learn whether the message took effect, ' +
      'then open a new session',
  );
}

function alreadySettled(number: number): DeltabaseError {
  return new DeltabaseError(
    'INVALID_ARGUMENT',
    `message ${number} was settled by its client: a settled message cannot be sent again`,
  );
}

function windowFull(max: number): DeltabaseError {
  return new DeltabaseError(
    'OVERLOADED',
    `the session has ${max} unsettled messages here: settle answered ones first`,
  );
}
