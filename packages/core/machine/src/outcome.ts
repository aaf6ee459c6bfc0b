// Outcome record, version 1: how a message ended that left no delta, a rejection or one that changed nothing.
// Nobody needs it while a message is sent once. One that was sent before, without an answer, may have another
// copy on its way still: its answer is true for ever only if that copy gets the same one, from any leader
// (AckedIsDurable), so it goes into the log. docs/wire-formats.md describes it; tests hold golden bytes.

import { assert, DeltabaseError, type ErrorCode, isErrorCode, pack, unpack } from '@deltabase/base';
import type { Answer } from './message.js';

/** The lasting answer to a message that was executed; a refusal by its handler is one as well. */
export type FirstAnswer =
  | ({ readonly kind: 'accepted' } & Answer)
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** The end of one message without a delta. */
export interface OutcomeRecord {
  readonly space: string;
  readonly key: string;
  readonly session: string;
  readonly openedAt: number;
  readonly number: number;
  readonly settled: number;
  /** As in a delta record. */
  readonly time: number;
  readonly answer: FirstAnswer;
}

const OUTCOME_VERSION = 1;
const FIELDS = 9;

/** The record's bytes; see `pack` for who owns their buffer. */
export function encodeOutcome(record: OutcomeRecord): Uint8Array {
  const { space, key, session, openedAt, number, settled, time, answer } = record;
  assert(session !== '', 'only messages with an id are remembered');
  const fields = [OUTCOME_VERSION, space, key, session, openedAt, number, settled, time];
  return pack([...fields, encodeFirstAnswer(answer)]);
}

/** The record in `bytes`. Throws DATA_CORRUPT if they are not one record of a version known here. */
export function decodeOutcome(bytes: Uint8Array): OutcomeRecord {
  const f = unpack(bytes);
  if (!Array.isArray(f) || f[0] !== OUTCOME_VERSION || f.length !== FIELDS) throw unknownForm();
  const [, space, key, session, openedAt, number, settled, time, answer] = f;
  const names = { space, key, session };
  return { openedAt, number, settled, time, answer: decodeFirstAnswer(answer), ...names };
}

/** An answer as a list: seq and reply, or code and message. */
export function encodeFirstAnswer(answer: FirstAnswer): unknown[] {
  if (answer.kind === 'accepted') return [answer.seq, answer.reply ?? null];
  return [answer.code, answer.message];
}

/** Throws DATA_CORRUPT for what is not an answer. */
export function decodeFirstAnswer(list: unknown): FirstAnswer {
  if (!Array.isArray(list) || list.length !== 2) throw unknownForm();
  const [first, second] = list;
  if (typeof first === 'number')
    return { kind: 'accepted', seq: first, reply: second ?? undefined };
  if (typeof first !== 'string' || !isErrorCode(first)) throw unknownForm();
  return { kind: 'failed', code: first, message: String(second) };
}

function unknownForm(): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    'the outcome of a message has an unknown version or form: it may be of a newer release',
  );
}
