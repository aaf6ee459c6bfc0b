// The machine of the members document: payloads in, the state that the rules give, and the difference as a delta.
// Only engines send it messages: for operators (member-changes.ts), and of their own accord (steering.ts).

import { DeltabaseError } from '@deltabase/base';
import {
  canonicalBytes,
  type Draft,
  diffValues,
  fromJson,
  getAt,
  toJson,
  type Value,
} from '@deltabase/delta';
import type { Call, Outcome } from '../ports.js';
import type { Member, Recovery } from './member.js';
import type { MembersView, Refusal } from './members-refusals.js';
import * as rules from './members-rules.js';
import { type MembersState, membersValue, readMembers } from './members-state.js';

/** What a channel does with the state and the payload. */
type Channel = (state: MembersState, payload: Value, view: MembersView) => rules.Ruling;

const CHANNELS: Readonly<Record<string, Channel>> = {
  add: (state, payload, view) =>
    rules.add(state, { member: memberAt(payload), promote: flagAt(payload, '/promote') }, view),
  promote: (state, payload, view) => rules.promote(state, { node: nodeAt(payload) }, view),
  remove: (state, payload, view) => rules.remove(state, { node: nodeAt(payload) }, view),
  replace: (state, payload, view) =>
    rules.replace(state, { old: numberAt(payload, '/old'), member: memberAt(payload) }, view),
  prefer: (state, payload) => {
    const node = getAt(payload, '/node') === null ? undefined : nodeAt(payload);
    return rules.prefer(state, { group: numberAt(payload, '/group'), node });
  },
  met: (state, payload) => rules.met(state, nodeAt(payload), numberAt(payload, '/incarnation')),
  move: (state, payload) => rules.move(state, memberAt(payload)),
  advance: (state, payload) => rules.advance(state, numberAt(payload, '/number')),
  finish: (state, payload) => rules.finish(state, numberAt(payload, '/number')),
};

/** Runs one message to the members document. Reply: {"number"} of the latest change. */
export function runMembersMachine(call: Call, draft: Draft, view: MembersView): Outcome {
  const state = readMembers(draft.root);
  if (call.channel === 'found') return settle(draft, found(state, call.payload));
  const channel = CHANNELS[call.channel];
  if (channel === undefined) {
    return failed({
      code: 'CHANNEL_NOT_FOUND',
      message: `the members document has no channel ${call.channel}`,
    });
  }
  // Right after a recovery it is still that of the cluster before.
  if (state === undefined || (view.clusterId !== '' && state.id !== view.clusterId)) {
    const message = 'the cluster has just begun and does not know its members yet: ask again';
    return failed({ code: 'MEMBERS_REFUSED', message });
  }
  return settle(draft, channel(state, call.payload, view));
}

/** The first state of a new cluster, or of one that was recovered. One that is there already stays. */
function found(state: MembersState | undefined, payload: Value): MembersState {
  const id = textAt(payload, '/id');
  const before = getAt(payload, '/before');
  const isRecovery = state !== undefined && before === state.id;
  if (state !== undefined && !isRecovery) return state;
  const members = (toJson(getAt(payload, '/members')!) as unknown[]).map((_, at) =>
    memberAt(getAt(payload, `/members/${at}`)!),
  );
  return rules.found({ id, members, recovery: recoveryAt(payload) }, state);
}

/** What the recovery was that the cluster begins anew with; `undefined`: it begins for the first time. */
function recoveryAt(payload: Value): Recovery | undefined {
  if ((getAt(payload, '/recovery') ?? null) === null) return undefined;
  return {
    formerId: textAt(payload, '/recovery/formerId'),
    node: numberAt(payload, '/recovery/node'),
    takenFrom: numbersAt(payload, '/recovery/takenFrom'),
    givenUp: numbersAt(payload, '/recovery/givenUp'),
    timeMs: numberAt(payload, '/recovery/timeMs'),
  };
}

function settle(draft: Draft, ruling: rules.Ruling): Outcome {
  if (rules.isRefusal(ruling)) return failed(ruling);
  for (const operation of diffValues(draft.root, membersValue(ruling))) draft.emit(operation);
  const reply = canonicalBytes(fromJson({ number: ruling.changes }));
  return { kind: 'done', reply, fuel: 0, logs: [] };
}

function failed({ code, message }: Refusal): Outcome {
  return { kind: 'failed', code, message, fuel: 0, logs: [] };
}

function memberAt(payload: Value): Member {
  return {
    node: nodeAt(payload),
    peerAddress: textAt(payload, '/peer'),
    clientAddress: textAt(payload, '/client'),
  };
}

function nodeAt(payload: Value): number {
  const node = numberAt(payload, '/node');
  if (node >= 1) return node;
  throw malformed('/node');
}

function numberAt(payload: Value, pointer: string): number {
  const number = getAt(payload, pointer);
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw malformed(pointer);
}

function numbersAt(payload: Value, pointer: string): number[] {
  const list = toJson(getAt(payload, pointer) ?? null);
  if (!Array.isArray(list)) throw malformed(pointer);
  return list.map((_, at) => numberAt(payload, `${pointer}/${at}`));
}

function textAt(payload: Value, pointer: string): string {
  const text = getAt(payload, pointer);
  if (typeof text === 'string' && text !== '') return text;
  throw malformed(pointer);
}

function flagAt(payload: Value, pointer: string): boolean {
  const flag = getAt(payload, pointer);
  if (typeof flag === 'boolean') return flag;
  throw malformed(pointer);
}

function malformed(pointer: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', `the payload has not what it should at ${pointer}`);
}
