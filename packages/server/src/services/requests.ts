// What requests must be before the engine sees them; names and payloads it checks itself.

import { DeltabaseError, type Limits } from '@deltabase/base';
import type { SessionRef } from '@deltabase/machine';

/** The fields of deltabase.v1.Session. */
export interface SessionFields {
  readonly name: string;
  readonly openedAtMs: number;
  readonly settled: number;
  /** 0: when it is as old as a session may be. */
  readonly expiresAtMs: number;
}

/** Messages that are never retried. */
export const NO_SESSION: SessionRef = { name: '', openedAt: 0, settled: 0 };

/** Throws INVALID_ARGUMENT unless it can be a session. One without a name is none. */
export function sessionOf(session: SessionFields, limits: Limits): SessionRef {
  const { name, openedAtMs, settled, expiresAtMs } = session;
  if (name === '') {
    if (openedAtMs === 0 && settled === 0 && expiresAtMs === 0) return NO_SESSION;
    throw invalid('the session has no name: use a new UUID');
  }
  if (Buffer.byteLength(name) > limits.sessionNameBytesMax) {
    throw invalid(`the session name is longer than ${limits.sessionNameBytesMax} bytes`);
  }
  checkCount('opened_at_ms', openedAtMs);
  if (openedAtMs === 0) {
    throw invalid('opened_at_ms is not a time: use milliseconds since 1970');
  }
  checkCount('settled', settled);
  if (expiresAtMs === 0) return { name, openedAt: openedAtMs, settled };
  checkCount('expires_at_ms', expiresAtMs);
  if (expiresAtMs < openedAtMs) {
    throw invalid('expires_at_ms is no time after opened_at_ms: use milliseconds since 1970, or 0');
  }
  // A group forgets sessions by their age: one that ends sooner is as one that was opened sooner.
  const openedAt = Math.max(1, Math.min(openedAtMs, expiresAtMs - limits.sessionAgeMsMax));
  return { name, openedAt, settled };
}

/** What is wrong with a message's numbers in its session; `undefined` if nothing is. */
export function numberProblem(
  session: SessionRef,
  { number, after }: { readonly number: number; readonly after: number },
): string | undefined {
  if (session.name === '') {
    if (number === 0 && after === 0) return undefined;
    return 'the message has a number, but there is no session: give the session, or no numbers';
  }
  if (number === 0) return 'a message of a session needs a number: count them from 1';
  if (!isCount(number)) return tooLarge('number');
  if (!isCount(after)) return tooLarge('after');
  if (after < number) return undefined;
  return 'after must name an earlier message of the session, or be 0';
}

/**
 * Until when an answer is of use, by the monotonic clock, ms: as the call's deadline says, but never later
 * than `requestTimeoutMsMax` from now.
 */
export function expiryOf(deadline: Date | number, nowMs: number, limits: Limits): number {
  const leftMs = Number(deadline) - Date.now();
  return nowMs + Math.min(leftMs, limits.requestTimeoutMsMax);
}

/** Throws INVALID_ARGUMENT for a number that JavaScript cannot hold exactly. */
export function checkCount(name: string, value: number | undefined): void {
  if (value === undefined || isCount(value)) return;
  throw invalid(tooLarge(name));
}

function tooLarge(name: string): string {
  return `${name} is too large: it may be 2^53 - 1 at most`;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The error for a request that is malformed. */
export function invalid(message: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message);
}
