// A group's log and state machine, and how both move on disk: appends as Raft asks for them, flushes of the state
// machine and the compaction of the log behind it, snapshots that replace everything.

import { assert } from '@deltabase/base';
import type { AppendWork, Snapshot, SnapshotMessage, Status } from 'raft-ts';
import type { LocalDocument } from '../documents/local-document.js';
import type { NodeId } from '../ports.js';
import { FIRST_GENERATION, logsRange, rowsRange } from '../storage/keys.js';
import { LogStore } from '../storage/log-store.js';
import type { RecoveredGroup } from '../storage/recovery.js';
import type { GroupHost } from './group-host.js';
import { GroupState, type GroupStateListener } from './group-state.js';
import { type Installation, LogWriter } from './log-writer.js';
import type { PeerView } from './sleep.js';
import { type ReceivedSnapshot, SnapshotReceiver } from './snapshot-receiver.js';

export interface GroupStorageListener extends GroupStateListener {
  /** `work` is on stable storage, and all that was asked for before it. */
  acknowledge(work: AppendWork): void;
  /** Work was acknowledged because a write ended, between turns: what follows from it takes one. */
  written(): void;
  /** The rows of a snapshot are here: Raft is to take it, or not. */
  received(message: SnapshotMessage): void;
  /** The documents were replaced by those of a snapshot; `before` is what was in memory. */
  installed(before: readonly LocalDocument[]): void;
  raftStatus(): Status;
}

/** Entries that are deleted from the log in one batch: some 10 ms. */
const COMPACTED_AT_ONCE = 16_384;

export class GroupStorage {
  readonly log: LogStore;
  readonly state: GroupState;
  readonly receiver: SnapshotReceiver;
  readonly #group: number;
  readonly #host: GroupHost;
  readonly #listener: GroupStorageListener;
  readonly #logWriter: LogWriter;
  #flushing = false;
  #flushedMs: number;
  #generationsUsed: number;
  /** A snapshot that Raft is about to take or refuse. */
  #received: ReceivedSnapshot | undefined;
  /** Snapshots that Raft took and that are not in place yet, the first taken first. */
  readonly #installing: ReceivedSnapshot[] = [];

  constructor(host: GroupHost, recovered: RecoveredGroup, listener: GroupStorageListener) {
    const { id, row, log, generationsUsed } = recovered;
    const { limits, config } = host;
    this.#group = id;
    this.#host = host;
    this.#listener = listener;
    this.#generationsUsed = generationsUsed;
    // Groups take turns in flushing.
    this.#flushedMs = host.nowMs() - (limits.flushIntervalMs * id) / (config.groups + 1);
    this.log = new LogStore(id, host.disk, log, limits.logCacheBytesMax);
    this.state = new GroupState(host, recovered, listener);
    this.#logWriter = new LogWriter({
      group: id,
      log: this.log,
      counters: host.counters,
      write: (operations, done) => host.write(operations, done),
      acknowledge: (work) => this.#acknowledge(work),
      written: () => listener.written(),
    });
    this.receiver = new SnapshotReceiver({
      group: id,
      header: host.header,
      nowMs: () => host.nowMs(),
      send: (to, frame) => host.sendBulk(to, frame),
      write: (operations, done) => host.write(operations, done),
      random: () => host.random(),
      begin: ({ from, snapshot }) => {
        host.log.info('snapshot-begun', { group: id, from, index: snapshot.index });
        return ++this.#generationsUsed;
      },
      complete: (received) => this.#complete(received),
      discard: (generation) => this.#discard(generation, generation + 1),
    });
    // What attempts of earlier lives left; those to come have higher numbers.
    this.#discard(FIRST_GENERATION, row.generation);
    this.#discard(row.generation + 1, generationsUsed + 1);
    // And a recovery that was cut short when it counted already.
    if (row.log > 0) host.unused(logsRange(id, 0, row.log));
  }

  /** Whether the state machine in memory is one that is not in place on disk yet. */
  get isInstalling(): boolean {
    return this.#installing.length > 0;
  }

  /** Whether nothing is being written, flushed, received or installed. */
  get idle(): boolean {
    const isTaking = this.isInstalling || this.#received !== undefined || !this.receiver.idle;
    return !this.#flushing && !isTaking && this.#logWriter.idle;
  }

  /** Has written what Raft wants on disk. */
  append(work: AppendWork): void {
    this.#logWriter.append(work, work.snapshot && this.#install(work.snapshot));
  }

  /** Raft has looked at everything: a received snapshot that it has not taken it never will. */
  settled(): void {
    const received = this.#received;
    if (received === undefined) return;
    this.#received = undefined;
    this.#discard(received.generation, received.generation + 1);
  }

  /** Flushes what has been in memory only for too long; where there is nothing, looks whether log may go that was kept. */
  flushOld(nowMs: number): void {
    if (nowMs - this.#flushedMs < this.#host.limits.flushIntervalMs) return;
    if (this.state.applied.index > this.log.snapshot().index) {
      this.#flush();
    } else if (!this.#flushing && !this.isInstalling) {
      this.#flushedMs = nowMs;
      this.#compactLog();
    }
  }

  /** Flushes what is too much to be in memory only. */
  flushLarge(): void {
    if (this.state.documents.unflushedBytes >= this.#host.limits.flushBytesMax) this.#flush();
  }

  /** Brings the state machine to disk up to what is applied, then lets go of log that it covers. */
  #flush(): void {
    if (this.#flushing || this.isInstalling) return;
    this.#flushing = true;
    const { generation } = this.state;
    const { operations, snapshot, durable } = this.state.flush();
    this.#host.write(operations, () => {
      this.#flushing = false;
      this.#flushedMs = this.#host.nowMs();
      durable();
      // Another state machine may have taken its place.
      if (generation === this.state.generation) this.#flushed(snapshot);
    });
  }

  #flushed(snapshot: Snapshot): void {
    this.log.flushed(snapshot);
    this.#compactLog();
  }

  /** Lets go of log that is flushed and that nobody needs, a part at a time. */
  #compactLog(): void {
    const { peers, limits } = this.#host;
    const { heldLogBytesMax } = limits;
    const heldFrom =
      this.log.bytes > heldLogBytesMax ? Infinity : neededFrom(this.#listener.raftStatus(), peers);
    const firstIndex = this.log.firstIndex();
    const lastAtOnce = firstIndex + COMPACTED_AT_ONCE - 1;
    const index = Math.min(this.log.compactableTo(this.#trailingBytes), heldFrom, lastAtOnce);
    // The last entry to go stays on disk, for its term: by itself the first of all would not go.
    if (index < firstIndex || index === 1) return;
    const { bytes } = this.log;
    const operations = this.log.compact(index);
    const removed = bytes - this.log.bytes;
    this.#host.write(operations, () => this.#host.logCompacted(removed));
  }

  /**
   * Bytes of flushed log to keep. Log that goes soon is hardly rewritten by LevelDB. But while this node misses a member
   * it keeps more: that one needs no snapshot if it is back in time, be it this node that leads then.
   */
  get #trailingBytes(): number {
    const { config, limits, peers } = this.#host;
    const { trailingLogBytesMax, absentLogBytesMax, heldLogBytesMax } = limits;
    const { voters, votersOutgoing, learners } = this.state.confState;
    const isAway = (id: NodeId): boolean => id !== config.node && !peers.isLive(id);
    if (![voters, votersOutgoing, learners].some((ids) => ids.some(isAway))) {
      return trailingLogBytesMax;
    }
    return Math.max(trailingLogBytesMax, Math.min(absentLogBytesMax, heldLogBytesMax));
  }

  /** Every row of a snapshot is on disk. */
  #complete(received: ReceivedSnapshot): void {
    assert(this.#received === undefined, 'one snapshot at a time is offered to Raft');
    this.#received = received;
    const { message, end } = received;
    const { index, term, confState } = end;
    this.#listener.received({
      ...message,
      snapshot: { ...message.snapshot, index, term, confState },
    });
  }

  /** Raft takes the snapshot that was received: one batch switches to its rows (docs/raft.md, pitfall 24). */
  #install(snapshot: Snapshot): Installation {
    const received = this.#received;
    assert(received?.end.index === snapshot.index, 'Raft takes the snapshot that was received');
    this.#received = undefined;
    this.#installing.push(received);
    const { generation: before } = this.state;
    // The rows before go once nobody reads them and they do not count any more.
    let reasonsToStay = 2;
    const maybeDiscard = (): void => {
      reasonsToStay--;
      if (reasonsToStay === 0) this.#discard(before, received.generation);
    };
    const installed = this.state.install(received, maybeDiscard);
    this.#listener.installed(installed.before);
    return {
      operations: [...this.log.clearOperations(snapshot.index), installed.operation],
      loaded: (done) => {
        maybeDiscard();
        this.state.loadInstalled(done);
      },
    };
  }

  #acknowledge(work: AppendWork): void {
    if (work.snapshot !== undefined) {
      const { end, chunks } = this.#installing.shift()!;
      assert(end.index === work.snapshot.index, 'snapshots are put in place as they were taken');
      this.#host.log.info('snapshot-installed', { group: this.#group, index: end.index, chunks });
    }
    this.#listener.acknowledge(work);
  }

  /** The rows of the generations `[from, to)` will never be used, and none is written any more. */
  #discard(from: number, to: number): void {
    if (from < to) this.#host.unused(rowsRange(this.#group, from, to));
  }
}

/**
 * What a follower that is alive still needs of a leader's log is kept, within bounds, or it would go from one
 * snapshot to the next for ever (docs/raft.md, pitfall 15). Its node's word counts: Raft forgets whom it has heard of
 * with every check of the quorum, several times while a snapshot is fetched.
 */
function neededFrom({ role, progress }: Status, peers: Pick<PeerView, 'isLive'>): number {
  if (role !== 'leader') return Infinity;
  const behind = progress.filter(({ id, damaged }) => peers.isLive(id) && !damaged);
  return Math.min(Infinity, ...behind.map((peer) => Math.max(peer.match, peer.pendingSnapshot)));
}
