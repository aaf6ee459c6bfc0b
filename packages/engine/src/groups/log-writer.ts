// Brings to disk what Raft wants there and tells Raft once it is, in the order in which it asked: a response
// may rest on all that was to be written before it (docs/raft.md, InOrder).

import type { AppendWork, HardState } from 'raft-ts';
import type { DiskOperation } from '../ports.js';
import { hardStateKey } from '../storage/keys.js';
import type { LogStore } from '../storage/log-store.js';
import { encodeHardState } from '../storage/rows.js';

export interface LogWriterHost {
  readonly group: number;
  readonly log: LogStore;
  readonly counters: LogCounters;
  write(operations: readonly DiskOperation[], done: () => void): void;
  /** `work` is on stable storage, and all that was asked for before it. */
  acknowledge(work: AppendWork): void;
  /** Work was acknowledged because a write ended, between turns: what follows from it takes one. */
  written(): void;
}

export interface LogCounters {
  /** Bytes of keys and values of entries that are on stable storage. */
  logBytesWritten: number;
}

/** What must be written with a snapshot, and done once that is durable, before Raft is told. */
export interface Installation {
  readonly operations: readonly DiskOperation[];
  loaded(done: () => void): void;
}

interface Writing {
  readonly works: AppendWork[];
  readonly logBytes: number;
  done: boolean;
}

export class LogWriter {
  readonly #host: LogWriterHost;
  /** Writes under way, oldest first, each with the work that it makes durable. */
  readonly #writing: Writing[] = [];
  /** A hard state that need not be synced and goes along with the next write. */
  #lazyHardState: HardState | undefined;

  constructor(host: LogWriterHost) {
    this.#host = host;
  }

  /** Whether all that Raft wanted to be sure of is on disk. */
  get idle(): boolean {
    return this.#writing.length === 0;
  }

  /** Has `work` written; `installation` if and only if it brings a snapshot. */
  append(work: AppendWork, installation: Installation | undefined): void {
    if (!work.mustSync) {
      this.#appendLazily(work);
      return;
    }
    const operations: DiskOperation[] = [...(installation?.operations ?? [])];
    let logBytes = 0;
    for (const operation of this.#host.log.appendOperations(work.entries)) {
      operations.push(operation);
      if (operation.kind === 'put') logBytes += operation.key.length + operation.value.length;
    }
    const hardState = work.hardState ?? this.#lazyHardState;
    this.#lazyHardState = undefined;
    if (hardState !== undefined) {
      const value = encodeHardState(hardState);
      operations.push({ kind: 'put', key: hardStateKey(this.#host.group), value });
    }
    const writing: Writing = { works: [work], logBytes, done: false };
    this.#writing.push(writing);
    this.#host.write(operations, () => {
      if (installation === undefined) this.#written(writing);
      else installation.loaded(() => this.#written(writing));
    });
  }

  /** Only a commit index, or answers that promise nothing new: no write of their own. */
  #appendLazily(work: AppendWork): void {
    this.#lazyHardState = work.hardState ?? this.#lazyHardState;
    const last = this.#writing.at(-1);
    if (last === undefined) this.#acknowledge(work);
    else last.works.push(work);
  }

  #written(writing: Writing): void {
    writing.done = true;
    this.#host.counters.logBytesWritten += writing.logBytes;
    if (writing !== this.#writing[0]) return;
    while (this.#writing[0]?.done) {
      for (const work of this.#writing.shift()!.works) this.#acknowledge(work);
    }
    this.#host.written();
  }

  #acknowledge(work: AppendWork): void {
    if (work.snapshot !== undefined) this.#host.log.restored(work.snapshot);
    this.#host.log.appended(work.entries);
    this.#host.acknowledge(work);
  }
}
