// What a log entry says, for people: the same words for a running node and for its files.

import {
  decodeCommand,
  decodeOutcome,
  messageId,
  type OutcomeRecord,
  outcomeAt,
  recordAt,
} from '@deltabase/machine';
import { decodeConfChange, type Entry } from 'raft-ts';

export interface EntryDescription {
  readonly kind: 'deltas' | 'outcomes' | 'activate' | 'configuration' | 'empty';
  /** The delta records in it, each by itself. */
  readonly records: readonly Uint8Array[];
  readonly summary: string;
}

/** Describes `entry`. Throws DATA_CORRUPT for a form that this release does not know. */
export function describeEntry({ type, data }: Entry): EntryDescription {
  if (type === 'confChange') {
    const { changes } = decodeConfChange(data);
    return { kind: 'configuration', records: [], summary: JSON.stringify(changes) };
  }
  if (data.length === 0)
    return {
      kind: 'empty',
      records: [],
      summary: 'nothing: a leader took office, or a change of members was taken back',
    };
  return describeCommand(data);
}

function describeCommand(data: Uint8Array): EntryDescription {
  const command = decodeCommand(data);
  if (command.kind === 'activate') {
    const summary = `${command.space} runs version ${command.version} from here on`;
    return { kind: 'activate', records: [], summary };
  }
  if (command.kind === 'outcomes') {
    const outcomes = command.offsets.map((offset) => outcomeAt(data, offset));
    return { kind: 'outcomes', records: [], summary: describeOutcomes(outcomes) };
  }
  const records = command.offsets.map((offset) => recordAt(data, offset));
  const summary = records.length === 1 ? '1 delta' : `${records.length} deltas`;
  return { kind: 'deltas', records, summary };
}

const OUTCOMES_TOLD = 3;

function describeOutcomes(records: readonly Uint8Array[]): string {
  const ends = records
    .slice(0, OUTCOMES_TOLD)
    .map((bytes) => describeOutcome(decodeOutcome(bytes)));
  if (records.length > OUTCOMES_TOLD) ends.push(`${records.length - OUTCOMES_TOLD} more`);
  return ends.join('; ');
}

function describeOutcome({ space, key, session, number, answer }: OutcomeRecord): string {
  const end = answer.kind === 'accepted' ? 'changed nothing' : `${answer.code}, ${answer.message}`;
  return `${messageId(session, number)} to ${space}/${key}: ${end}`;
}
