// One group on this node: the Raft replica, its log, and the state machine behind it, which is documents,
// sessions and the active versions of machines. In each turn the group does what Raft asks (write, send,
// apply) and, while it leads, executes messages.

import { assert } from '@deltabase/base';
import { decodeCommand, decodeRecord, encodeActivate, Sessions } from '@deltabase/machine';
import {
  type AppendWork,
  type ConfState,
  decodeConfChange,
  type Entry,
  type HardState,
  type Message as RaftMessage,
  RawNode,
  type Role,
  type Snapshot,
  type SnapshotMessage,
  type Status,
} from 'raft-ts';
import { GroupDocuments } from '../documents/group-documents.js';
import type { LocalDocument, TailDelta } from '../documents/local-document.js';
import { Fifo } from '../fifo.js';
import type { DiskOperation, NodeId } from '../ports.js';
import type { Submission } from '../results.js';
import { groupKey, hardStateKey, sessionKey } from '../storage/keys.js';
import { LogStore } from '../storage/log-store.js';
import { type RecoveredGroup, readSessions } from '../storage/recovery.js';
import { encodeGroupRow, encodeHardState } from '../storage/rows.js';
import type { TurnBudget } from '../turn-budget.js';
import { Confirmations, type Confirmed } from './confirmations.js';
import type { GroupHost } from './group-host.js';
import { Leadership } from './leadership.js';
import { type ReceivedSnapshot, SnapshotReceiver } from './snapshot-receiver.js';

/** A write for Raft, with the appends that it makes durable. */
interface Writing {
  readonly works: AppendWork[];
  done: boolean;
}

const EMPTY = new Uint8Array(0);
/** A node that asks for nothing of a snapshot for so long does not know of it any more. */
const OFFER_MS = 3000;

export class Group {
  readonly id: number;
  readonly #host: GroupHost;
  readonly #node: RawNode;
  readonly #log: LogStore;
  readonly #queue = new Fifo<Submission>();
  readonly #confirmations: Confirmations;
  readonly #receiver: SnapshotReceiver;

  // The state machine, up to #applied.
  #documents: GroupDocuments;
  #sessions: Sessions;
  #active: Map<string, number>;
  #confState: ConfState;
  #applied: { index: number; term: number };

  #role: Role = 'follower';
  #lead: NodeId = 0;
  #leadership: Leadership | undefined;
  /** Versions proposed to become active by the present leadership. */
  #activating = new Map<string, number>();

  /** Appends that wait for a write that is under way, oldest write first. */
  readonly #writing: Writing[] = [];
  /** A hard state that need not be synced and goes along with the next write. */
  #lazyHardState: HardState | undefined;
  #flushing = false;
  #flushedMs: number;
  #generation: number;
  #generationsUsed: number;
  #received: ReceivedSnapshot | undefined;
  /** When each node that was offered a snapshot last asked for some of it. */
  readonly #offers = new Map<NodeId, number>();
  /** Documents with watchers that something was applied to in this turn. */
  readonly #changed = new Set<LocalDocument>();

  constructor(host: GroupHost, recovered: RecoveredGroup) {
    const { id, row, sessions, generationsUsed } = recovered;
    const { limits, timing, node } = host.config;
    this.id = id;
    this.#host = host;
    this.#generation = row.generation;
    this.#generationsUsed = generationsUsed;
    this.#documents = new GroupDocuments(host, id, row.generation);
    this.#sessions = new Sessions(limits);
    this.#sessions.loadTime(row.time);
    for (const { name, bytes } of sessions) this.#sessions.load(name, bytes);
    this.#active = new Map(row.active);
    this.#confState = row.confState;
    this.#applied = { index: row.flushedIndex, term: row.flushedTerm };
    this.#flushedMs = host.nowMs();
    this.#log = new LogStore(id, host.disk, recovered.log, limits.logCacheBytesMax);
    this.#node = new RawNode({
      id: node,
      storage: this.#log,
      applied: row.flushedIndex,
      electionTicks: timing.electionTicks,
      heartbeatTicks: timing.heartbeatTicks,
      random: (bound) => host.random() % bound,
      asyncStorageWrites: true,
      appendBytesMax: limits.appendBytesMax,
      applyingBytesMax: limits.batchBytesMax,
      uncommittedBytesMax: limits.uncommittedBytesMax,
      inflightMessagesMax: limits.inflightAppendsMax,
      inflightBytesMax: limits.inflightBytesMax,
    });
    const electionMs = timing.tickMs * timing.electionTicks;
    this.#confirmations = new Confirmations(this.#node, electionMs);
    this.#receiver = new SnapshotReceiver({
      group: id,
      header: host.header,
      send: (to, frame) => host.sendBulk(to, frame),
      write: (operations, done) => host.write(operations, done),
      random: () => host.random(),
      nextGeneration: () => ++this.#generationsUsed,
      complete: (received) => this.#takeReceived(received),
    });
  }

  /** Who leads, as far as this node knows; 0: unknown. */
  get lead(): NodeId {
    return this.#lead;
  }

  get role(): Role {
    return this.#role;
  }

  /** Whether messages for the group are taken here. */
  get takesMessages(): boolean {
    return this.#role === 'leader';
  }

  /** Messages that wait to be executed. */
  get queueLength(): number {
    return this.#queue.length + (this.#leadership?.waitingCount ?? 0);
  }

  /** Whether this node leads and everything it took is answered. */
  get idle(): boolean {
    return this.queueLength === 0 && (this.#leadership?.idle ?? true);
  }

  get documents(): GroupDocuments {
    return this.#documents;
  }

  get appliedIndex(): number {
    return this.#applied.index;
  }

  get flushedIndex(): number {
    return this.#log.snapshot().index;
  }

  get voters(): readonly NodeId[] {
    return this.#confState.voters;
  }

  /** The active version of a space's machine; `undefined`: none. */
  activeVersion(space: string): number | undefined {
    return this.#active.get(space);
  }

  status(): Status {
    return this.#node.status();
  }

  /** Committed and uncommitted entries in `[from, to)` that this node has, about `bytesMax`. */
  readLog(from: number, to: number, bytesMax: number): readonly Entry[] {
    const start = Math.max(from, this.#log.firstIndex());
    const end = Math.min(to, this.#log.lastIndex() + 1);
    return start < end ? this.#log.entries(start, end, bytesMax) : [];
  }

  // What comes from outside.

  tick(): void {
    this.#node.tick();
  }

  /** Time-bound duties that need not run every tick. */
  upkeep(nowMs: number): void {
    this.#confirmations.tick(nowMs);
    this.#leadership?.tick();
    this.#receiver.tick(nowMs);
    this.#withdrawOffers(nowMs);
    if (this.#flushIsDue(nowMs)) this.#flush();
    this.activateLatest();
  }

  step(message: RaftMessage): void {
    if (message.type === 'snapshot' && message.snapshot.index > this.#node.basicStatus().commit) {
      // Its rows come on the bulk lane; Raft gets the message once they are here.
      this.#receiver.offered(message, this.#host.nowMs());
      return;
    }
    this.#node.step(message);
  }

  get receiver(): SnapshotReceiver {
    return this.#receiver;
  }

  /** A node that was offered a snapshot is fetching it. */
  snapshotPulled(peer: NodeId, nowMs: number): void {
    if (this.#offers.has(peer)) this.#offers.set(peer, nowMs);
  }

  /** A message for the leader, which is this node. */
  enqueue(submission: Submission): void {
    this.#queue.push(submission);
  }

  confirm(expiresMs: number, done: Confirmed): void {
    this.#confirmations.request(expiresMs, done);
  }

  peerUnreachable(peer: NodeId): void {
    if (this.#role === 'leader' && this.#isMember(peer)) this.#node.reportUnreachable(peer);
  }

  transferTo(peer: NodeId): void {
    this.#node.transferLeader(peer);
  }

  // The turn.

  /** Executes messages and works off what Raft asks for, until there is nothing left of it. */
  turn(budget: TurnBudget): void {
    if (this.#leadership !== undefined) this.#leadership.execute(this.#queue, budget);
    this.#confirmations.begin(this.#host.nowMs());
    while (this.#node.hasReady()) this.#handleReady();
    if (this.#documents.unflushedBytes >= this.#host.config.limits.flushBytesMax) this.#flush();
    for (const local of this.#changed) this.#host.documentChanged(this, local);
    this.#changed.clear();
  }

  /** Stops leading without answering; for a node that stops. */
  close(): void {
    this.#endLeadership();
    this.#confirmations.close();
    this.#documents.close();
  }

  #handleReady(): void {
    const ready = this.#node.ready();
    if (ready.softState !== undefined) {
      this.#changeRole(ready.softState.role, ready.softState.lead);
    }
    for (const message of ready.messages) {
      if (message.type === 'snapshot') this.#offers.set(message.to, this.#host.nowMs());
      this.#host.send(this.id, message);
    }
    if (ready.append !== undefined) this.#append(ready.append);
    if (ready.apply !== undefined) {
      for (const entry of ready.apply.entries) this.#apply(entry);
      this.#node.acknowledgeApply(ready.apply);
      this.#log.trimCache(this.#applied.index);
    }
    for (const state of ready.readStates) this.#confirmations.confirmed(state, this.#applied.index);
    this.#confirmations.applied(this.#applied.index);
    this.#maybeBeginLeadership();
  }

  /** Has what Raft wants on disk written, and what it answers sent when that is durable. */
  #append(work: AppendWork): void {
    const last = this.#writing.at(-1);
    if (!work.mustSync) {
      // Only a commit index, or answers that promise nothing new: no write of their own.
      this.#lazyHardState = work.hardState ?? this.#lazyHardState;
      if (last === undefined) this.#acknowledge([work]);
      else last.works.push(work);
      return;
    }
    const operations: DiskOperation[] = [];
    if (work.snapshot !== undefined) this.#installOperations(work.snapshot, operations);
    for (const operation of this.#log.appendOperations(work.entries)) operations.push(operation);
    const hardState = work.hardState ?? this.#lazyHardState;
    if (hardState !== undefined) {
      const value = encodeHardState(hardState);
      operations.push({ kind: 'put', key: hardStateKey(this.id), value });
      this.#lazyHardState = undefined;
    }
    const writing: Writing = { works: [work], done: false };
    this.#writing.push(writing);
    this.#host.write(operations, () => {
      if (work.snapshot === undefined) this.#written(writing);
      else this.#loadInstalled(writing);
    });
  }

  /** Sessions live in memory; until they are loaded Raft is not told that the snapshot is in place. */
  #loadInstalled(writing: Writing): void {
    const { id } = this;
    this.#host.run(readSessions(this.#host.disk, id, this.#generation), (sessions) => {
      for (const { name, bytes } of sessions) this.#sessions.load(name, bytes);
      this.#written(writing);
    });
  }

  /** Writes are told to Raft in the order in which they were asked for. */
  #written(writing: Writing): void {
    writing.done = true;
    while (this.#writing[0]?.done) this.#acknowledge(this.#writing.shift()!.works);
  }

  #acknowledge(works: readonly AppendWork[]): void {
    for (const work of works) {
      if (work.snapshot !== undefined) this.#log.restored(work.snapshot);
      this.#log.appended(work.entries);
      for (const message of this.#node.acknowledgeAppend(work)) this.#host.send(this.id, message);
    }
    this.#host.dirty(this);
  }

  #apply(entry: Entry): void {
    assert(entry.index === this.#applied.index + 1, 'entries are applied in order, each once');
    if (entry.type === 'confChange') {
      this.#confState = this.#node.applyConfChange(decodeConfChange(entry.data));
    } else if (entry.data.length > 0 && this.#leadership?.committed(entry) !== true) {
      this.#applyCommand(entry);
    }
    this.#applied = { index: entry.index, term: entry.term };
  }

  #applyCommand(entry: Entry): void {
    const command = decodeCommand(entry.data);
    if (command.kind === 'activate') {
      this.#active.set(command.space, command.version);
      this.#host.activated(this, command.space, command.version);
      return;
    }
    for (const bytes of command.records) {
      const record = decodeRecord(bytes);
      const local = this.#documents.open(record.space, record.key);
      const delta = this.#documents.apply(local, record, bytes);
      this.#sessions.fold(record);
      if (delta !== undefined) this.#deltaApplied(local, delta);
    }
  }

  #deltaApplied(local: LocalDocument, delta: TailDelta): void {
    this.#host.counters.deltasApplied++;
    if (local.watches > 0) this.#changed.add(local);
    assert(delta.seq === local.seq, 'the newest delta is the last');
  }

  // Leading.

  #changeRole(role: Role, lead: NodeId): void {
    const hasLost = this.#role === 'leader' && role !== 'leader';
    if (role !== this.#role || lead !== this.#lead) {
      this.#host.log.info('role', { group: this.id, role, lead });
    }
    this.#role = role;
    this.#lead = lead;
    // Only now: what it gives back must not be taken here again.
    if (hasLost) this.#endLeadership();
  }

  /** Messages run only once everything committed before this term is applied (OnlyLeadersRunLogic). */
  #maybeBeginLeadership(): void {
    if (this.#role !== 'leader' || this.#leadership !== undefined) return;
    const { term, applied, commit } = this.#node.basicStatus();
    if (!this.#node.leadsWithCommit || applied < commit || this.#applied.term !== term) return;
    const host = this.#host;
    this.#leadership = new Leadership(
      {
        node: this.#node,
        documents: this.#documents,
        sessions: this.#sessions,
        limits: host.config.limits,
        counters: host.counters,
        touched: host.touched,
        nowMs: () => host.nowMs(),
        wallMs: () => host.wallMs(),
        random: () => host.random(),
        activeVersion: (space) => this.#active.get(space),
        machine: (space, version, ready) => host.machine(space, version, ready),
        run: (machine, call, draft) => host.runMachine(machine, call, draft),
        confirm: (expiresMs, done) => this.#confirmations.request(expiresMs, done),
        wake: () => host.dirty(this),
        applied: (local, delta) => this.#deltaApplied(local, delta),
      },
      term,
    );
    this.#activating.clear();
    this.activateLatest();
    if (this.#queue.length > 0) host.dirty(this);
  }

  /** What was executed is answered with the loss; what was not is sent to whoever leads now. */
  #endLeadership(): void {
    const leadership = this.#leadership;
    this.#leadership = undefined;
    const unexecuted = [...(leadership?.abort() ?? []), ...this.#queue.drain()];
    for (const submission of unexecuted) this.#host.reroute(submission);
  }

  /** The leader makes the latest version of every machine the active one, by an entry in the log. */
  activateLatest(): void {
    if (this.#leadership === undefined || this.id === 0) return;
    for (const { space, version } of this.#host.latestVersions()) {
      const wanted = this.#activating.get(space) ?? this.#active.get(space) ?? 0;
      if (version <= wanted || !this.#node.canPropose(0)) continue;
      this.#activating.set(space, version);
      this.#node.propose(encodeActivate(space, version));
      this.#host.dirty(this);
    }
  }

  // Storage.

  #flushIsDue(nowMs: number): boolean {
    if (this.#applied.index === this.flushedIndex) return false;
    return nowMs - this.#flushedMs >= this.#host.config.limits.flushIntervalMs;
  }

  /** Brings the state machine to disk up to what is applied, then lets go of log it covers. */
  #flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    const { index, term } = this.#applied;
    const snapshot: Snapshot = { index, term, confState: this.#confState, data: EMPTY };
    const { operations, durable } = this.#documents.flush();
    const { id } = this;
    for (const { name, bytes } of this.#sessions.takeChanges()) {
      const key = sessionKey(id, this.#generation, name);
      operations.push(
        bytes === undefined ? { kind: 'del', key } : { kind: 'put', key, value: bytes },
      );
    }
    operations.push({ kind: 'put', key: groupKey(id), value: encodeGroupRow(this.#row(snapshot)) });
    const generation = this.#generation;
    this.#host.write(operations, () => {
      this.#flushing = false;
      this.#flushedMs = this.#host.nowMs();
      durable();
      if (generation === this.#generation) this.#flushed(snapshot);
    });
  }

  #flushed(snapshot: Snapshot): void {
    this.#log.flushed(snapshot);
    const { trailingLogBytesMax } = this.#host.config.limits;
    const index = Math.min(this.#log.compactableTo(trailingLogBytesMax), this.#heldFrom());
    if (index < this.#log.firstIndex()) return;
    const operations = this.#log.compact(index);
    this.#host.write(operations, () => this.#host.logCompacted(this.id, operations.length));
  }

  /**
   * What a follower that is alive still needs is kept, within bounds, or it would go from one snapshot to the
   * next for ever (RAFT.md pitfall 15).
   */
  #heldFrom(): number {
    if (this.#log.bytes > this.#host.config.limits.heldLogBytesMax) return Infinity;
    const behind = this.#node.status().progress.filter((peer) => peer.recentActive && !peer.damaged);
    return Math.min(Infinity, ...behind.map((peer) => peer.match));
  }

  #row(snapshot: Snapshot): Parameters<typeof encodeGroupRow>[0] {
    return {
      generation: this.#generation,
      flushedIndex: snapshot.index,
      flushedTerm: snapshot.term,
      confState: snapshot.confState,
      time: this.#sessions.time,
      active: [...this.#active],
    };
  }

  // Snapshots from a leader.

  #takeReceived(received: ReceivedSnapshot): void {
    this.#received = received;
    const { message, end } = received;
    const snapshot = { index: end.index, term: end.term, confState: end.confState, data: EMPTY };
    this.#node.step({ ...message, snapshot } satisfies SnapshotMessage);
    this.#host.dirty(this);
  }

  /** Raft takes the snapshot that was received: one batch switches to its rows. */
  #installOperations(snapshot: Snapshot, operations: DiskOperation[]): void {
    const received = this.#received;
    assert(received !== undefined, 'Raft takes a snapshot whose rows are here');
    assert(received.end.index === snapshot.index, 'Raft takes the snapshot that was received');
    const { end, generation } = received;
    this.#received = undefined;
    operations.push(...this.#log.clearOperations(snapshot.index));
    this.#generation = generation;
    const before = [...this.#documents.all()];
    this.#documents.close();
    this.#documents = new GroupDocuments(this.#host, this.id, generation);
    this.#active = new Map(end.active);
    this.#confState = end.confState;
    this.#applied = { index: end.index, term: end.term };
    this.#sessions = new Sessions(this.#host.config.limits);
    this.#sessions.loadTime(end.time);
    operations.push({
      kind: 'put',
      key: groupKey(this.id),
      value: encodeGroupRow(this.#row(snapshot)),
    });
    this.#host.installed(this, before);
  }

  /** Offers get lost, and so do nodes in the middle of one: Raft must try again. */
  #withdrawOffers(nowMs: number): void {
    for (const [peer, pulledMs] of this.#offers) {
      if (nowMs - pulledMs < OFFER_MS) continue;
      this.#offers.delete(peer);
      if (this.#isMember(peer)) this.#node.reportSnapshot(peer, false);
    }
  }

  #isMember(peer: NodeId): boolean {
    const { voters, votersOutgoing, learners } = this.#confState;
    return [voters, votersOutgoing, learners].some((list) => list.includes(peer));
  }
}
