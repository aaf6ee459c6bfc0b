// One message run against a document's state: payload in, patch and reply out. It touches nothing but its own
// draft, so whatever the handler does costs this one message an error (LogicCannotHurtTheHost).

import { DeltabaseError, type Limits } from '@deltabase/base';
import { Draft, parseTransient, type Value, type Version } from '@deltabase/delta';
import { type Message, messageId } from '@deltabase/machine';
import type { Call, Machine, Outcome } from '../ports.js';
import { type Failure, failure } from '../results.js';

/** How a message ended. `fuel` is what it cost in all, in about nanoseconds. */
export type Execution =
  | { readonly kind: 'failed'; readonly failure: Failure; readonly fuel: number }
  | {
      /** It emitted nothing. */
      readonly kind: 'unchanged';
      readonly reply: Uint8Array | undefined;
      readonly fuel: number;
    }
  | {
      readonly kind: 'changed';
      readonly root: Value;
      readonly patch: Uint8Array;
      readonly reply: Uint8Array | undefined;
      /** What the handler itself used. */
      readonly handlerFuel: number;
      readonly fuel: number;
    };

export interface ExecutionHost {
  readonly limits: Limits;
  run(machine: Machine | undefined, call: Call, draft: Draft): Outcome;
}

/** What taking any message costs, and what each byte of payload and patch does, in units of fuel. */
export const MESSAGE_FUEL = 2000;
const BYTE_FUEL = 8;

/** Runs `message` on `version`; `machine` is `undefined` for the system space. */
export function executeMessage(
  host: ExecutionHost,
  machine: Machine | undefined,
  message: Message,
  version: Version,
  chance: { readonly time: number; readonly seed: number },
): Execution {
  const fuel = MESSAGE_FUEL + message.payload.length * BYTE_FUEL;
  const payload = parsePayload(message.payload, host.limits);
  if (payload.kind === 'failed') return { kind: 'failed', failure: payload.failure, fuel };
  const draft = new Draft(version.root, host.limits);
  const call = callOf(message, payload.value, version.seq === 0, chance);
  const outcome = host.run(machine, call, draft);
  const { kind, fuel: handlerFuel } = outcome;
  if (kind === 'failed') {
    const { code, message: why } = outcome;
    return { kind, failure: failure(code, why), fuel: fuel + handlerFuel };
  }
  const { reply } = outcome;
  if (draft.operations.length === 0) return { kind: 'unchanged', reply, fuel: fuel + handlerFuel };
  const patch = draft.patchBytes();
  const cost = fuel + handlerFuel + patch.length * BYTE_FUEL;
  return { kind: 'changed', root: draft.root, patch, reply, handlerFuel, fuel: cost };
}

function callOf(
  message: Message,
  payload: Value,
  create: boolean,
  { time, seed }: { readonly time: number; readonly seed: number },
): Call {
  const { space, key, channel, principal, session, number } = message;
  const id = messageId(session.name, number);
  return { create, space, key, channel, principal, messageId: id, payload, time, seed };
}

type Payload =
  | { readonly kind: 'parsed'; readonly value: Value }
  | { readonly kind: 'failed'; readonly failure: Failure };

function parsePayload(payload: Uint8Array, limits: Limits): Payload {
  if (payload.length === 0) return { kind: 'parsed', value: null };
  try {
    return { kind: 'parsed', value: parseTransient(payload, { depthMax: limits.jsonDepthMax }) };
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return { kind: 'failed', failure: failure(thrown.code, `the payload: ${thrown.message}`) };
  }
}
