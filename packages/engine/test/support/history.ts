// A document's true history: deltas with patches, hashes and the states they make.

import { assert, DEFAULT_LIMITS } from '@deltabase/base';
import { Draft, fromJson, hashText, type Json, type Operation, type Value } from '@deltabase/delta';
import {
  type DeltaRecord,
  DeltasWriter,
  decodeCommand,
  encodeRecord,
  recordLength,
} from '@deltabase/machine';
import type { LocalDocument } from '../../src/documents/local-document.js';
import { storedDelta, type TailDelta } from '../../src/documents/tail.js';
import { own } from './bytes.js';
import { sampleRecord } from './samples.js';

export interface Step {
  readonly record: DeltaRecord;
  readonly bytes: Uint8Array;
  /** The state that the delta makes. */
  readonly root: Value;
}

/** Deltas 1 to `count` of a document that collects `{"t1": 1, "t2": 2, ...}`. */
export function makeHistory(count: number, changes: Partial<DeltaRecord> = {}): Step[] {
  const steps: Step[] = [];
  let root: Value = null;
  for (let seq = 1; seq <= count; seq++) {
    const draft = new Draft(root, DEFAULT_LIMITS);
    if (seq === 1) draft.emit({ op: 'add', path: '', value: fromJson({} as Json) });
    draft.emit({ op: 'add', path: `/t${seq}`, value: seq });
    root = draft.root;
    const made = { seq, number: seq, patch: own(draft.patchBytes()), hash: hashText(root) };
    const record = sampleRecord({ ...made, ...changes });
    steps.push({ record, bytes: own(encodeRecord(record)), root });
  }
  return steps;
}

/** Deltas 1 to `count` of a document of ten numbers, which change in turn. */
export function makeCounters(count: number): Step[] {
  const steps: Step[] = [];
  const zeros = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`n${at}`, 0]));
  let root: Value = null;
  for (let seq = 1; seq <= count; seq++) {
    const draft = new Draft(root, DEFAULT_LIMITS);
    if (seq === 1) draft.emit({ op: 'add', path: '', value: fromJson(zeros) });
    draft.emit({ op: 'replace', path: `/n${seq % 10}`, value: seq });
    root = draft.root;
    const made = { seq, number: seq, patch: own(draft.patchBytes()), hash: hashText(root) };
    const record = sampleRecord(made);
    steps.push({ record, bytes: own(encodeRecord(record)), root });
  }
  return steps;
}

/** A delta for each of `operations`. */
export function makeHistoryOf(operations: readonly Operation[]): Step[] {
  let root: Value = null;
  return operations.map((operation, at) => {
    const draft = new Draft(root, DEFAULT_LIMITS);
    draft.emit(operation);
    root = draft.root;
    const seq = at + 1;
    const made = { seq, number: seq, patch: own(draft.patchBytes()), hash: hashText(root) };
    const record = sampleRecord(made);
    return { record, bytes: own(encodeRecord(record)), root };
  });
}

/** The state at `seq`. */
export function rootAt(steps: readonly Step[], seq: number): Value {
  return seq === 0 ? null : steps[seq - 1]!.root;
}

export function tailOf(steps: readonly Step[]): TailDelta[] {
  return steps.map(({ record, bytes }) => storedDelta(record.seq, bytes));
}

/** A chunk of these deltas. */
export function chunkOf(steps: readonly Step[]): Uint8Array {
  const writer = new DeltasWriter();
  for (const { record } of steps) writer.add(record);
  return writer.finish();
}

/** Bytes of the records in a chunk. */
export function bytesIn(chunk: Uint8Array): number {
  const command = decodeCommand(chunk);
  assert(command.kind === 'deltas', 'a chunk holds deltas');
  return command.offsets.reduce((sum, offset) => sum + recordLength(chunk, offset), 0);
}

/** Where `record` lies in an entry of its own. */
export function placeOf(record: DeltaRecord): { entry: Uint8Array; offset: number } {
  const writer = new DeltasWriter();
  const offset = writer.add(record);
  return { entry: writer.finish(), offset };
}

/** Applies `record` as a committed entry of its own. */
export function applyTo(local: LocalDocument, record: DeltaRecord): boolean {
  const { entry, offset } = placeOf(record);
  return local.apply(record, entry, offset);
}

/** The seqs of the deltas in the tail. */
export function seqsInTail({ tail }: LocalDocument): number[] {
  return tail.between(0, tail.lastSeq).map(({ seq }) => seq);
}
