// A delta as people read it: what happened and why, then the patch, one operation a line.

import { decodeUtf8 } from '@deltabase/base';
import type { Cause, ComposedEvent, Json, Operation } from '@deltabase/client';
import { type DeltaRecord, messageId } from '@deltabase/machine';
import type { Paint } from './paint.js';
import { printable } from './printable.js';
import { moment, shortJson } from './values.js';

/** A delta, wherever it was read. */
export interface Delta {
  readonly seq: number;
  readonly patch: readonly Operation[];
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly cause: Cause;
}

const PAYLOAD_CHARACTERS_MAX = 100;
const VALUE_CHARACTERS_MAX = 160;

/** The delta of a stored record. */
export function deltaOfRecord(record: DeltaRecord): Delta {
  const { seq, hash, time, channel, principal, version, fuel, seed } = record;
  return {
    seq,
    patch: jsonOf(record.patch) as unknown as readonly Operation[],
    hash,
    time,
    cause: {
      channel,
      payload: jsonOf(record.payload),
      principal,
      messageId: messageId(record.session, record.number),
      version,
      fuel,
      seed,
    },
  };
}

/**
 * The lines of a delta: seq, time and message; who sent it and what ran; the patch. `title` stands in front,
 * for a delta shown among those of other documents.
 */
export function deltaText(delta: Delta, paint: Paint, title = ''): string {
  const { seq, time, hash, cause, patch } = delta;
  const { channel, payload, principal, messageId: id, version, fuel } = cause;
  const what = `${paint.bold(channel)} ${shortJson(payload, PAYLOAD_CHARACTERS_MAX)}`;
  const who = [
    `by ${printable(principal) || 'nobody known'}`,
    ...(id === '' ? [] : [`message ${printable(id)}`]),
    `version ${version}`,
    `fuel ${fuel}`,
    `hash ${hash}`,
  ];
  const lines = [
    `${title}${paint.cyan(`seq ${seq}`)}  ${moment(time)}  ${what}`,
    paint.dim(`    ${who.join('  ')}`),
    ...patch.map((operation) => `    ${operationText(operation, paint)}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** The lines of several deltas in one, or of what some did to a view: from which seq to which; the patch. */
export function composedText(
  { fromSeq, seq, hash, patch }: ComposedEvent,
  paint: Paint,
  { isOfView }: { readonly isOfView: boolean },
): string {
  const count = isOfView ? '' : `, ${seq - fromSeq} deltas in one`;
  const head = `${paint.cyan(`seq ${seq}`)}  from seq ${fromSeq}${count}`;
  const lines = [
    head,
    paint.dim(`    hash ${hash}`),
    ...patch.map((operation) => `    ${operationText(operation, paint)}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** One operation: `replace /count 7`. */
export function operationText(operation: Operation, paint: Paint): string {
  const { op, path } = operation;
  const where = pointerText(path);
  switch (op) {
    case 'remove':
      return `${paint.red(op)} ${where}`;
    case 'move':
    case 'copy':
      return `${paint.yellow(op)} ${pointerText(operation.from)} to ${where}`;
    case 'test':
      return `${op} ${where} ${shortJson(operation.value, VALUE_CHARACTERS_MAX)}`;
    default: {
      const value = shortJson(operation.value, VALUE_CHARACTERS_MAX);
      return `${op === 'add' ? paint.green(op) : paint.yellow(op)} ${where} ${value}`;
    }
  }
}

function pointerText(pointer: string): string {
  return pointer === '' ? '(whole document)' : printable(pointer);
}

function jsonOf(bytes: Uint8Array): Json {
  const text = decodeUtf8(bytes);
  return text === undefined || text === '' ? null : JSON.parse(text);
}
