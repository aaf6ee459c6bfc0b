// Messages on their way to the leader and answers on their way back, as msgpack lists of fixed order within a
// frame. Versioned by the frame; what is read is checked for form.

import { type ErrorDetails, isErrorCode } from '@deltabase/base';
import type { Message } from '@deltabase/machine';
import { Fields, malformed } from '../peers/fields.js';
import { failure, type Result } from '../results.js';

/** A message that another node passed on. */
export interface Forward {
  /** The sender's name for it. */
  readonly id: number;
  /** For how long an answer is of use. */
  readonly msLeft: number;
  readonly message: Message;
}

const ACCEPTED = 0;
const FAILED = 1;

export function encodeForward(id: number, msLeft: number, message: Message): unknown[] {
  const { space, key, channel, payload, principal, number, after } = message;
  const { name, openedAt, settled } = message.session;
  const retried = message.retried ? 1 : 0;
  const identity = [principal, name, openedAt, settled, number, after, retried];
  return [id, msLeft, space, key, channel, payload, ...identity];
}

/** Throws DATA_CORRUPT for what is not a forwarded message. */
export function decodeForward(list: unknown): Forward {
  const f = new Fields(list);
  const id = f.whole();
  const msLeft = f.whole();
  const message = {
    space: f.text(),
    key: f.text(),
    channel: f.text(),
    payload: f.bytes(),
    principal: f.text(),
    session: { name: f.text(), openedAt: f.whole(), settled: f.whole() },
    number: f.whole(),
    after: f.whole(),
    retried: f.whole() === 1,
  };
  f.end();
  return { id, msLeft, message };
}

export function encodeAnswer(id: number, result: Result): unknown[] {
  if (result.kind === 'accepted') return [id, ACCEPTED, result.seq, result.reply ?? null];
  const { code, message, details } = result;
  return [id, FAILED, code, message, Object.entries(details).flat()];
}

/** Throws DATA_CORRUPT for what is not an answer. */
export function decodeAnswer(list: unknown): { readonly id: number; readonly result: Result } {
  const f = new Fields(list);
  const id = f.whole();
  const kind = f.whole();
  const result = kind === ACCEPTED ? readAccepted(f) : readFailed(kind, f);
  f.end();
  return { id, result };
}

function readAccepted(f: Fields): Result {
  return { kind: 'accepted', seq: f.whole(), reply: f.maybeBytes() };
}

function readFailed(kind: number, f: Fields): Result {
  const code = f.text();
  if (kind !== FAILED || !isErrorCode(code)) throw malformed();
  return failure(code, f.text(), readDetails(f.nested()));
}

function readDetails(f: Fields): ErrorDetails {
  const details: Record<string, string | number | boolean> = {};
  while (f.left > 0) {
    const name = f.text();
    const value = f.any();
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw malformed();
    }
    details[name] = value;
  }
  return details;
}
