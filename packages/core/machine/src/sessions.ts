// Who has already been answered: a group's memory of message ids, a fold of its delta records like
// everything else, so every copy holds the same one and it survives failover (AckedIsDurable, thesis §6.3).
//
// Bounded without ever forgetting too early: a client settles what it has answers to; a session whose
// opening lies more than `sessionAgeMsMax` back is refused and only then forgotten, so a message that could
// still be retried is always known. Replaying records that were already folded changes nothing.

import { DeltabaseError, type Limits } from '@deltabase/base';
import type { KeptAnswer } from './answer-row.js';
import type { Answer, Message } from './message.js';
import { nameHash } from './names.js';
import type { OutcomeRecord } from './outcome.js';
import type { RecordHead } from './record-parts.js';
import { decodeSession, Session, type SessionRow } from './session.js';

/** What a group knows of a message id. */
export type Known =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** It must not run; or it ran, and this is its answer. */
  | { readonly kind: 'refused'; readonly error: DeltabaseError };

/** A row of storage that changed: see `SessionRow`. */
export interface SessionChange extends SessionRow {
  readonly name: string;
}

const SWEEP_INTERVAL_MS = 60_000;
const UNKNOWN: Known = { kind: 'unknown' };

/** The sessions of one group. */
export class Sessions {
  readonly #limits: Limits;
  readonly #sessions = new Map<string, Session>();
  /** Sessions changed since the last `takeChanges`, and rows of those that were forgotten. */
  readonly #changed = new Set<string>();
  #deleted: SessionChange[] = [];
  /** Bytes of all answers. */
  #bytes = 0;
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

  /** Folds the cause of one delta record; a reply has a buffer of its own, which is kept. */
  fold(record: RecordHead): void {
    this.#time = Math.max(this.#time, record.time);
    if (record.session !== '') {
      this.#remember(record, { kind: 'accepted', seq: record.seq, reply: record.reply });
    }
    if (this.#time - this.#sweptAt >= SWEEP_INTERVAL_MS) this.#sweep();
  }

  /** Folds the end of a message that left no delta. */
  foldOutcome(record: OutcomeRecord): void {
    const { answer, time } = record;
    this.#time = Math.max(this.#time, time);
    const reply = answer.kind === 'accepted' ? answer.reply?.slice() : undefined;
    this.#remember(record, answer.kind === 'accepted' ? { ...answer, reply } : answer);
  }

  /** What is known of a message that arrives at `now`, ms; `now` is never before `time`. */
  find(message: Message, now: number): Known {
    const { name, openedAt } = message.session;
    if (name === '') return UNKNOWN;
    if (openedAt > now + this.#limits.clockSkewMsMax) return refused(clockAhead(openedAt - now));
    if (openedAt < now - this.#limits.sessionAgeMsMax) return refused(sessionTooOld());
    const session = this.#sessions.get(name);
    if (session === undefined) return this.#admitSession(now);
    if (message.number < session.settled) return refused(alreadySettled(message.number));
    const known = session.get(message.number);
    if (known === undefined) return this.#admitMessage(session, message.session.settled);
    if (known.document !== nameHash(message.space, message.key)) {
      return refused(numberUsedTwice(message.number));
    }
    const { answer } = known;
    if (answer.kind === 'accepted') return { kind: 'answered', answer };
    return refused(new DeltabaseError(answer.code, answer.message));
  }

  /** Whether message `number` of the session took effect or was settled by its client. */
  has(name: string, number: number): boolean {
    const session = this.#sessions.get(name);
    return session !== undefined && (number < session.settled || session.has(number));
  }

  /** What changed since the last call, for storage; what is to be deleted comes first. */
  takeChanges(): SessionChange[] {
    const changes = this.#deleted;
    this.#deleted = [];
    for (const name of this.#changed) {
      for (const row of this.#sessions.get(name)!.takeRows()) changes.push({ name, ...row });
    }
    this.#changed.clear();
    return changes;
  }

  /**
   * Loads a stored row of a session, in the order of its parts. `bytes` come from `takeChanges`; throws
   * DATA_CORRUPT otherwise.
   */
  load(name: string, part: number, bytes: Uint8Array): void {
    if (part === 0) {
      this.#sessions.set(name, decodeSession(bytes));
      return;
    }
    const session = this.#sessions.get(name);
    if (session === undefined) {
      throw new DeltabaseError('DATA_CORRUPT', `the first row of session ${name} is missing`);
    }
    const before = session.bytes;
    session.load(part, bytes);
    this.#bytes += session.bytes - before;
  }

  /** Sets the clock of a group that is being loaded. */
  loadTime(time: number): void {
    this.#time = Math.max(this.#time, time);
  }

  #remember(record: Cause, answer: KeptAnswer): void {
    const { session: name, number, settled } = record;
    const session = this.#open(name, record.openedAt);
    const before = session.bytes;
    if (!session.add(number, answer, nameHash(record.space, record.key))) return; // Replayed.
    session.settle(settled);
    this.#bytes += session.bytes - before;
    this.#changed.add(name);
  }

  #open(name: string, openedAt: number): Session {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const session = new Session(openedAt);
    this.#sessions.set(name, session);
    return session;
  }

  #admitSession(now: number): Known {
    const max = this.#limits.sessionsPerGroupMax;
    if (this.#sessions.size < max) return UNKNOWN;
    // Where every message is of a new session, none is folded that would have old ones forgotten.
    this.#time = Math.max(this.#time, now);
    if (this.#time - this.#sweptAt >= SWEEP_INTERVAL_MS) this.#sweep();
    if (this.#sessions.size < max) return UNKNOWN;
    return refused(
      new DeltabaseError(
        'OVERLOADED',
        `the group remembers ${max} sessions already: reuse one session for many messages, or give short ` +
          'ones an end',
      ),
    );
  }

  /** Whether one more answer may be kept: what the client settles with this message is as good as gone. */
  #admitMessage(session: Session, settled: number): Known {
    const { sessionWindowMax, sessionBytesMax, sessionBytesPerGroupMax } = this.#limits;
    const isCrowded = this.#bytes >= sessionBytesPerGroupMax;
    // Where all hold too much together, those that hold more than their share make room, and nobody else.
    const share = sessionBytesPerGroupMax / this.#sessions.size;
    const bytesMax = isCrowded ? Math.min(sessionBytesMax, share) : sessionBytesMax;
    if (session.count < sessionWindowMax && session.bytes < bytesMax) return UNKNOWN;
    const { count, bytes } = session.unsettled(settled);
    if (count >= sessionWindowMax) return refused(tooManyAnswers(count));
    return bytes < bytesMax ? UNKNOWN : refused(tooManyBytes(bytes));
  }

  #sweep(): void {
    this.#sweptAt = this.#time;
    const oldest = this.#time - this.#limits.sessionAgeMsMax;
    for (const [name, session] of this.#sessions) {
      if (session.openedAt >= oldest) continue;
      this.#sessions.delete(name);
      this.#changed.delete(name);
      this.#bytes -= session.bytes;
      for (const row of session.deleteRows()) this.#deleted.push({ name, ...row });
    }
  }
}

/** Which message a record is about. */
type Cause = Pick<RecordHead, 'space' | 'key' | 'session' | 'openedAt' | 'number' | 'settled'>;

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
    'the session has ended: read the document to learn whether the message took effect, then open a new ' +
      'one; if this one is new, set the clock of this client',
  );
}

function alreadySettled(number: number): DeltabaseError {
  return new DeltabaseError(
    'INVALID_ARGUMENT',
    `message ${number} was settled by its client: a settled message cannot be sent again`,
  );
}

function numberUsedTwice(number: number): DeltabaseError {
  return new DeltabaseError(
    'INVALID_ARGUMENT',
    `message ${number} of this session went to another document: number each message anew`,
  );
}

function tooManyAnswers(count: number): DeltabaseError {
  return new DeltabaseError(
    'OVERLOADED',
    `the session has ${count} unsettled messages here: settle answered ones first`,
  );
}

function tooManyBytes(bytes: number): DeltabaseError {
  return new DeltabaseError(
    'OVERLOADED',
    `unsettled answers of the session take ${bytes} bytes here: settle answered ones first, or keep ` +
      'fewer messages under way',
  );
}
