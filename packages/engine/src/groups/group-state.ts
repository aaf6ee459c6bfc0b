// The state machine of a group on this node: documents, sessions, active versions of machines, configuration,
// all of them up to the same applied entry. Committed entries change it; a flush brings it to disk, where one
// batch moves it from one applied entry to a later one; a snapshot replaces it.

import { assert } from '@deltabase/base';
import { decodeCommand, decodeHead, decodeOutcome, outcomeAt, Sessions } from '@deltabase/machine';
import type { ConfState, Entry, Snapshot } from 'raft-ts';
import { GroupDocuments } from '../documents/group-documents.js';
import type { LocalDocument } from '../documents/local-document.js';
import type { DiskOperation } from '../ports.js';
import { activeKey, groupKey, sessionKey } from '../storage/keys.js';
import { type RecoveredGroup, readMachine, type StoredMachine } from '../storage/recovery.js';
import { encodeActive, encodeGroupRow } from '../storage/rows.js';
import type { GroupHost } from './group-host.js';
import type { ReceivedSnapshot } from './snapshot-receiver.js';

/** What a flush writes, and where the state machine stands on disk then. */
export interface Flush {
  readonly operations: DiskOperation[];
  readonly snapshot: Snapshot;
  /** To be called when the operations are durable. */
  readonly durable: () => void;
}

export interface GroupStateListener {
  /** A delta was applied. */
  applied(local: LocalDocument): void;
  /** A version of a space's machine became active. */
  activated(): void;
}

const EMPTY = new Uint8Array(0);

export class GroupState {
  readonly #group: number;
  readonly #host: GroupHost;
  readonly #listener: GroupStateListener;
  #generation: number;
  /** The number of the log. */
  readonly #log: number;
  #documents: GroupDocuments;
  #sessions: Sessions;
  #active: Map<string, number>;
  /** Spaces whose active version is not on disk. */
  #activeChanges = new Set<string>();
  #confState: ConfState;
  #applied: { readonly index: number; readonly term: number };

  constructor(host: GroupHost, recovered: RecoveredGroup, listener: GroupStateListener) {
    const { id, row, machine } = recovered;
    this.#group = id;
    this.#host = host;
    this.#listener = listener;
    this.#generation = row.generation;
    this.#log = row.log;
    this.#documents = new GroupDocuments(host, id, row.generation);
    this.#sessions = new Sessions(host.limits);
    this.#sessions.loadTime(row.time);
    this.#active = new Map();
    this.#confState = row.confState;
    this.#applied = { index: row.flushedIndex, term: row.flushedTerm };
    this.#load(machine);
  }

  get documents(): GroupDocuments {
    return this.#documents;
  }

  get sessions(): Sessions {
    return this.#sessions;
  }

  get confState(): ConfState {
    return this.#confState;
  }

  /** The last applied entry. */
  get applied(): { readonly index: number; readonly term: number } {
    return this.#applied;
  }

  /** Counts the snapshots that took this state machine's place. */
  get generation(): number {
    return this.#generation;
  }

  /** The active version of a space's machine; `undefined`: none. */
  activeVersion(space: string): number | undefined {
    return this.#active.get(space);
  }

  /** A configuration change is applied; `applyEntry` follows. */
  configure(confState: ConfState): void {
    this.#confState = confState;
  }

  /** Applies the command of an entry that this node did not propose itself; `applyEntry` follows. */
  applyCommand(data: Uint8Array): void {
    const command = decodeCommand(data);
    if (command.kind === 'activate') {
      this.#active.set(command.space, command.version);
      this.#activeChanges.add(command.space);
      this.#listener.activated();
      return;
    }
    if (command.kind === 'outcomes') {
      for (const offset of command.offsets) {
        this.#sessions.foldOutcome(decodeOutcome(outcomeAt(data, offset)));
      }
      return;
    }
    for (const offset of command.offsets) {
      const head = decodeHead(data, offset);
      const local = this.#documents.open(head.space, head.key);
      const isNew = this.#documents.apply(local, head, data, offset);
      assert(isNew, 'a delta is applied once (StateIsFold)');
      this.#sessions.fold(head);
      this.#listener.applied(local);
    }
  }

  /** Everything of an entry has taken effect. */
  applyEntry({ index, term }: Entry): void {
    assert(index === this.#applied.index + 1, 'entries are applied in order, each once');
    this.#applied = { index, term };
  }

  /** What brings the state machine to disk as it is now, all of it or nothing. */
  flush(): Flush {
    const { operations, durable } = this.#documents.flush();
    const group = this.#group;
    const generation = this.#generation;
    for (const { name, part, bytes } of this.#sessions.takeChanges()) {
      const key = sessionKey(group, generation, name, part);
      operations.push(
        bytes === undefined ? { kind: 'del', key } : { kind: 'put', key, value: bytes },
      );
    }
    for (const space of this.#activeChanges) {
      const key = activeKey(group, generation, space);
      operations.push({ kind: 'put', key, value: encodeActive(this.#active.get(space)!) });
    }
    this.#activeChanges.clear();
    operations.push(this.#rowOperation());
    const { index, term } = this.#applied;
    return {
      operations,
      snapshot: { index, term, confState: this.#confState, data: EMPTY },
      durable,
    };
  }

  /**
   * The received snapshot takes the place of everything here. Returns the operation that makes it so on disk,
   * and the documents that were in memory; `unread` is called once nothing reads the rows before any more.
   * What is always in memory must then be loaded (`loadInstalled`).
   */
  install(
    { end, generation }: ReceivedSnapshot,
    unread: () => void,
  ): { readonly operation: DiskOperation; readonly before: readonly LocalDocument[] } {
    assert(end.index > this.#applied.index, 'a snapshot never takes the state back');
    assert(generation > this.#generation, 'each snapshot has a generation of its own');
    const documents = this.#documents;
    const before = [...documents.all()];
    this.#generation = generation;
    this.#documents = new GroupDocuments(this.#host, this.#group, generation);
    this.#active = new Map();
    this.#activeChanges = new Set();
    this.#confState = end.confState;
    this.#applied = { index: end.index, term: end.term };
    this.#sessions = new Sessions(this.#host.limits);
    this.#sessions.loadTime(end.time);
    documents.close(unread);
    return { operation: this.#rowOperation(), before };
  }

  /** Loads what an installed snapshot holds of sessions and active versions; `done` once that is here. */
  loadInstalled(done: () => void): void {
    const generation = this.#generation;
    const task = readMachine(this.#host.disk, this.#group, generation);
    this.#host.run(task, (machine) => {
      if (generation === this.#generation) this.#load(machine);
      done();
    });
  }

  #load({ sessions, active }: StoredMachine): void {
    for (const { name, part, bytes } of sessions) this.#sessions.load(name, part, bytes);
    for (const { space, version } of active) this.#active.set(space, version);
  }

  #rowOperation(): DiskOperation {
    const value = encodeGroupRow({
      generation: this.#generation,
      log: this.#log,
      flushedIndex: this.#applied.index,
      flushedTerm: this.#applied.term,
      confState: this.#confState,
      time: this.#sessions.time,
    });
    return { kind: 'put', key: groupKey(this.#group), value };
  }
}
