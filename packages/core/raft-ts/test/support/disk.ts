// A disk that keeps its promises and no more: a write is whole or not there, what was synced stays, and a crash
// undoes any number of the latest writes that were not. The core reads the newest writes, synced or not.

import assert from 'node:assert/strict';
import { RaftError } from '../../src/errors.js';
import type { AppendWork } from '../../src/ready.js';
import type { Storage } from '../../src/storage.js';
import {
  type ConfState,
  EMPTY_HARD_STATE,
  type Entry,
  type HardState,
  limitEntries,
  type Snapshot,
} from '../../src/types.js';
import { entriesFrom, snapshotAt } from './entries.js';
import { decodeMachine, encodeMachine, type MachineState } from './machine.js';

/** What is written with every applied entry, in one piece. */
export interface AppliedState {
  readonly machine: MachineState;
  readonly confState: ConfState;
}

interface Image {
  hardState: HardState;
  applied: AppliedState;
  snapshot: Snapshot;
  compacted: { index: number; term: number };
  entries: Entry[];
}

type Write = (image: Image) => void;

export class TestDisk implements Storage {
  #durable: Image;
  #newest: Image;
  #unsynced: Write[] = [];

  constructor(voters: readonly number[]) {
    const snapshot = snapshotAt(0, 0, voters);
    this.#durable = {
      hardState: EMPTY_HARD_STATE,
      applied: { machine: decodeMachine(snapshot.data), confState: snapshot.confState },
      snapshot,
      compacted: { index: 0, term: 0 },
      entries: [],
    };
    this.#newest = copyOf(this.#durable);
  }

  get applied(): AppliedState {
    return this.#newest.applied;
  }

  /** How many writes a crash may undo. */
  get unsynced(): number {
    return this.#unsynced.length;
  }

  /** What would be there after a crash at this moment that undoes all it may. */
  get durable(): Readonly<Image> {
    return this.#durable;
  }

  initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: this.#newest.hardState, confState: this.#newest.applied.confState };
  }

  entries(from: number, to: number, bytesMax: number): readonly Entry[] {
    const { compacted, entries } = this.#newest;
    if (from <= compacted.index) throw new RaftError('Compacted', `${from}`);
    if (to > this.lastIndex() + 1) throw new RaftError('Unavailable', `${to}`);
    const offset = this.firstIndex();
    return limitEntries(entries.slice(from - offset, to - offset), bytesMax);
  }

  term(index: number): number {
    const { compacted, entries } = this.#newest;
    if (index === compacted.index) return compacted.term;
    if (index < compacted.index) throw new RaftError('Compacted', `${index}`);
    const entry = entries[index - this.firstIndex()];
    if (entry === undefined) throw new RaftError('Unavailable', `${index}`);
    return entry.term;
  }

  firstIndex(): number {
    return this.#newest.compacted.index + 1;
  }

  lastIndex(): number {
    return this.#newest.compacted.index + this.#newest.entries.length;
  }

  snapshot(): Snapshot {
    return this.#newest.snapshot;
  }

  /** Begins with this on it. */
  begin(hardState: HardState, terms: readonly number[]): void {
    this.#write((image) => {
      image.hardState = hardState;
      image.entries = entriesFrom(1, ...terms);
    });
    this.sync();
  }

  writeAppend({ hardState, snapshot, entries }: AppendWork): void {
    this.#write((image) => {
      if (snapshot !== undefined) install(image, snapshot);
      if (entries.length > 0) replaceTail(image, entries);
      if (hardState !== undefined) image.hardState = hardState;
    });
  }

  writeApplied(applied: AppliedState): void {
    this.#write((image) => {
      image.applied = applied;
    });
  }

  /** Takes a snapshot of what is applied, and forgets the entries before it but for the last `keep`. */
  compact(keep: number): void {
    const { machine, confState } = this.#newest.applied;
    const index = machine.index - keep;
    const term = this.term(machine.index);
    const snapshot = { index: machine.index, term, confState, data: encodeMachine(machine) };
    if (index <= this.#newest.compacted.index) return;
    const compacted = { index, term: this.term(index) };
    this.#write((image) => {
      image.snapshot = snapshot;
      image.entries = image.entries.slice(index - image.compacted.index);
      image.compacted = compacted;
    });
  }

  /** Loses entries that were acknowledged, which no disk should do. */
  loseFrom(index: number): void {
    this.sync();
    for (const image of [this.#durable, this.#newest]) {
      image.entries.length = index - image.compacted.index - 1;
      const commit = Math.min(image.hardState.commit, index - 1);
      image.hardState = { ...image.hardState, commit };
      assert.ok(image.applied.machine.index < index, 'what is applied is beyond losing');
    }
  }

  sync(): void {
    this.#keep(this.#unsynced.length);
  }

  /** Loses what was not synced, but for the first `kept` of those writes. */
  crash(kept: number): void {
    this.#keep(Math.min(kept, this.#unsynced.length));
    this.#unsynced = [];
    this.#newest = copyOf(this.#durable);
  }

  #write(write: Write): void {
    write(this.#newest);
    this.#unsynced.push(write);
  }

  #keep(count: number): void {
    for (const write of this.#unsynced.splice(0, count)) write(this.#durable);
  }
}

function install(image: Image, snapshot: Snapshot): void {
  assert.ok(snapshot.index > image.applied.machine.index, 'a snapshot never takes the state back');
  image.snapshot = snapshot;
  image.applied = { machine: decodeMachine(snapshot.data), confState: snapshot.confState };
  image.compacted = { index: snapshot.index, term: snapshot.term };
  image.entries = [];
}

function replaceTail(image: Image, entries: readonly Entry[]): void {
  const offset = entries[0]!.index - image.compacted.index - 1;
  assert.ok(offset >= 0 && offset <= image.entries.length, 'entries are written without holes');
  assert.ok(entries[0]!.index > image.applied.machine.index, 'what is applied is not replaced');
  image.entries.length = offset;
  image.entries.push(...entries);
}

function copyOf(image: Image): Image {
  return { ...image, entries: [...image.entries] };
}
