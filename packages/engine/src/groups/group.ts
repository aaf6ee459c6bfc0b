// One group on this node: the Raft replica with its storage, and what it is used for. In each turn the group
// does what Raft asks (write, send, apply) and, while it leads, executes messages.

import type {
  ConfState,
  Entry,
  HeartbeatMessage,
  HeartbeatResponseMessage,
  Message as RaftMessage,
  RawNode,
  Role,
  Status,
} from 'raft-ts';
import type { GroupDocuments } from '../documents/group-documents.js';
import type { LocalDocument } from '../documents/local-document.js';
import type { Expiring } from '../expiring.js';
import { conforms } from '../members/members-state.js';
import type { NodeId } from '../ports.js';
import type { Failure, Submission } from '../results.js';
import type { GroupPosition } from '../status.js';
import type { RecoveredGroup } from '../storage/recovery.js';
import {
  type ComposeRequest,
  composeStored,
  type StoredComposition,
} from '../streams/compose-stored.js';
import { readStored, type StoredDeltas } from '../streams/history.js';
import type { TurnBudget } from '../turn-budget.js';
import type { Usage } from '../usage.js';
import { Confirmations, type Confirmed } from './confirmations.js';
import { DamageWatch } from './damage-watch.js';
import type { GroupHost } from './group-host.js';
import type { GroupState } from './group-state.js';
import { GroupStorage } from './group-storage.js';
import { Leading } from './leading.js';
import { Offers } from './offers.js';
import { Outgoing } from './outgoing.js';
import { RaftWork } from './raft-work.js';
import { makeRawNode } from './raw-node.js';
import { Sleep } from './sleep.js';
import type { SnapshotReceiver } from './snapshot-receiver.js';

export class Group {
  readonly id: number;
  readonly #host: GroupHost;
  readonly #storage: GroupStorage;
  readonly #node: RawNode;
  readonly #confirmations: Confirmations;
  readonly #leading: Leading;
  readonly #offers = new Offers();
  readonly #sleep: Sleep;
  readonly #outgoing: Outgoing;
  readonly #damageWatch: DamageWatch;

  readonly #work: RaftWork;

  #closed = false;
  /** Documents with watchers that something was applied to in this turn. */
  readonly #changed = new Set<LocalDocument>();

  constructor(host: GroupHost, recovered: RecoveredGroup) {
    const { tickMs, electionTicks } = host.config.timing;
    this.id = recovered.id;
    this.#host = host;
    this.#damageWatch = new DamageWatch(recovered.id, host);
    this.#storage = new GroupStorage(host, recovered, {
      applied: (local) => this.#deltaApplied(local),
      activated: () => host.activated(),
      acknowledge: (work) => this.#work.acknowledge(work),
      written: () => host.dirty(this),
      received: (message) => {
        this.#node.step(message);
        host.dirty(this);
      },
      installed: (before) => host.installed(this, before),
      raftStatus: () => this.#node.status(),
    });
    this.#node = makeRawNode({
      group: recovered.id,
      host,
      storage: this.#storage,
      applied: recovered.row.flushedIndex,
      // It is asked for the first time before there is any.
      lastLead: () => this.#work?.lastLead ?? 0,
    });
    const retryMs = tickMs * electionTicks;
    this.#confirmations = new Confirmations({ node: this.#node, retryMs, life: host.life });
    this.#leading = new Leading({
      group: recovered.id,
      node: host,
      raft: this.#node,
      state: this.#state,
      latestVersions: () => host.latestVersions(this.id),
      confirm: (expiresMs, done) => this.#confirmations.request(expiresMs, done),
      wake: () => host.dirty(this),
      applied: (local) => this.#deltaApplied(local),
    });
    this.#sleep = this.#makeSleep();
    this.#outgoing = new Outgoing({
      ...{ group: this.id, self: host.config.node, node: host, sleep: this.#sleep },
    });
    this.#work = new RaftWork({
      group: this.id,
      node: host,
      raft: this.#node,
      storage: this.#storage,
      confirmations: this.#confirmations,
      leading: this.#leading,
      offers: this.#offers,
      outgoing: this.#outgoing,
      roleChanged: () => host.roleChanged(this),
      configured: () => host.configured(this),
    });
  }

  /** Whether it gets no ticks, until there is something to do. */
  get isAsleep(): boolean {
    return this.#sleep.isAsleep;
  }

  /** Who leads, as far as this node knows; 0: unknown. */
  get lead(): NodeId {
    return this.#work.lead;
  }

  get role(): Role {
    return this.#work.role;
  }

  /** Whether messages for the group are taken here. */
  get takesMessages(): boolean {
    return this.role === 'leader' && !this.#closed;
  }

  /** Messages that wait to be executed. */
  get backlogCount(): number {
    return this.#leading.backlogCount;
  }

  /** Whether every message that was taken is answered. */
  get idle(): boolean {
    return this.#leading.idle;
  }

  get documents(): GroupDocuments {
    return this.#state.documents;
  }

  /** The last entry whose effect the state machine's rows on disk hold. */
  get flushedIndex(): number {
    return this.#storage.log.snapshot().index;
  }

  /**
   * The last entry that has taken effect here. Unlike the commit index it never counts an entry that is still on
   * its way to the disk, where another one may stand in its place.
   */
  get appliedIndex(): number {
    return this.#state.applied.index;
  }

  get voters(): readonly NodeId[] {
    return this.#state.confState.voters;
  }

  get confState(): ConfState {
    return this.#state.confState;
  }

  /** Takes the rows of snapshots. */
  get receiver(): SnapshotReceiver {
    return this.#storage.receiver;
  }

  /** The active version of a space's machine, as applied; `undefined`: none. */
  activeVersion(space: string): number | undefined {
    return this.#state.activeVersion(space);
  }

  status(): Status {
    return this.#node.status();
  }

  /** How much of the limits of a group is used here. */
  usage(): Array<Omit<Usage, 'group'>> {
    const { queued, queuedBytes, inFlight, silent } = this.#leading.load;
    const { uncommittedBytes, applyingBytes, progress, applied } = this.status();
    const { sessions, documents } = this.#state;
    return [
      { limit: 'groupQueueMax', used: Math.max(queued, inFlight) },
      { limit: 'uncommittedBytesMax', used: Math.max(queuedBytes, uncommittedBytes) },
      { limit: 'silentAnswersMax', used: silent },
      { limit: 'applyBytesMax', used: applyingBytes },
      { limit: 'inflightAppendsMax', used: Math.max(0, ...progress.map((peer) => peer.inflight)) },
      { limit: 'logCacheBytesMax', used: this.#storage.log.cachedBytesBefore(applied) },
      { limit: 'sessionsPerGroupMax', used: sessions.size },
      { limit: 'snapshotsWaitingMax', used: documents.snapshotsWaiting },
    ];
  }

  /** Where this copy stands, without what it knows of others: cheap. */
  position(): GroupPosition {
    const { confState: conf } = this.#state;
    return { conf, asleep: this.isAsleep, ...this.#node.basicStatus() };
  }

  /** Committed and uncommitted entries in `[from, to)` that this node has, about `bytesMax`. */
  readLog(from: number, to: number, bytesMax: number): readonly Entry[] {
    const { log, isInstalling } = this.#storage;
    // Its rows are gone already, or will be before they could be read.
    if (isInstalling) return [];
    const start = Math.max(from, log.firstIndex());
    const end = Math.min(to, log.lastIndex() + 1);
    return start < end ? log.entries(start, end, bytesMax) : [];
  }

  /** Calls `then` with the document once its state is in memory; `undefined`: this node stops. */
  load(space: string, key: string, then: (local: LocalDocument | undefined) => void): void {
    const { documents } = this;
    const local = documents.open(space, key);
    documents.load(local, (loaded) => {
      if (loaded) then(local);
      else if (this.#closed) then(undefined);
      else this.load(space, key, then); // Replaced by a snapshot's.
    });
  }

  /** Reads stored deltas of a document of this group, from `fromSeq` on. */
  readStored(
    local: LocalDocument,
    fromSeq: number,
    bytesMax: number,
    done: (deltas: StoredDeltas | Failure) => void,
  ): void {
    this.documents.read(readStored(this.#host.disk, local, fromSeq, bytesMax), done);
  }

  /** Composes stored deltas of a document of this group. */
  composeStored(
    local: LocalDocument,
    request: ComposeRequest,
    done: (composed: StoredComposition | Failure) => void,
  ): void {
    const { disk, limits } = this.#host;
    this.documents.read(composeStored(disk, local, request, limits), done);
  }

  // What comes from outside.

  tick(): void {
    this.#node.tick();
    this.#sleep.tick();
  }

  /** Whether there is something that a turn of the group would do. */
  get hasWork(): boolean {
    return this.#hasRaftWork || this.#leading.canGoOn;
  }

  /** Time-bound duties that need not run every tick. */
  upkeep(nowMs: number): void {
    this.#confirmations.tick(nowMs);
    this.receiver.tick(nowMs);
    for (const peer of this.#offers.takeStale(nowMs)) {
      if (this.#isMember(peer)) this.#node.reportSnapshot(peer, false);
    }
    this.#storage.flushOld(nowMs);
    this.#leading.tick(nowMs);
    this.#damageWatch.look(this.#node.status());
    this.#sleep.look(nowMs, this.#outgoing.rounds);
  }

  heartbeat(message: HeartbeatMessage, options: { readonly offersSleep: boolean }): void {
    this.#sleep.beaten(message, options.offersSleep);
    this.#node.step(message);
  }

  /** The answer to a heartbeat; its sender's copy sleeps at `sleepsAt`, or at 0 not at all. */
  heartbeatResponse(message: HeartbeatResponseMessage, sleepsAt: number): void {
    this.#sleep.answered(message, sleepsAt);
    this.#node.step(message);
  }

  /** Any other message of a peer. */
  step(message: RaftMessage): void {
    this.#sleep.heard(message.from);
    if (message.type === 'snapshot' && message.snapshot.index > this.#node.basicStatus().commit) {
      // Its rows come on the bulk lane; Raft gets the message once they are here.
      this.receiver.offered(message);
    } else {
      this.#node.step(message);
    }
  }

  /** A node that was offered a snapshot is fetching it. */
  snapshotPulled(peer: NodeId): void {
    this.#offers.pulled(peer, this.#host.nowMs());
  }

  /** A message for the leader, which is this node; `false`: too many wait. */
  enqueue(submission: Submission): boolean {
    const isTaken = this.#leading.enqueue(submission);
    if (isTaken) this.#host.dirty(this);
    return isTaken;
  }

  /** Everything committed until then, by the monotonic clock in ms, is applied here; `-Infinity`: not known. */
  get freshMs(): number {
    return this.#confirmations.freshMs;
  }

  confirm(expiresMs: number, done: Confirmed): Expiring {
    const request = this.#confirmations.request(expiresMs, done);
    this.#host.dirty(this);
    return request;
  }

  peerUnreachable(peer: NodeId): void {
    if (this.role === 'leader' && this.#isMember(peer)) this.#node.reportUnreachable(peer);
  }

  /** A node is lost, or not the one any more that it was. */
  peerLost(peer: NodeId): void {
    this.#sleep.peerLost(peer);
  }

  /** Wakes a group that should be led elsewhere. */
  wake(): void {
    this.#sleep.wake('led-astray');
  }

  transferTo(peer: NodeId): void {
    this.#node.transferLeader(peer);
    this.#host.dirty(this);
  }

  /** Whether this node is not to lead the group: it does not campaign. */
  setAbstains(is: boolean): void {
    this.#node.setAbstains(is);
  }

  /** Nobody could be elected until now: it waits for a whole election timeout from here on. */
  awaitElection(): void {
    this.#node.awaitElection();
    this.#host.dirty(this);
  }

  /** Leads no more, at once: what is in flight is for whoever leads next. */
  resign(): void {
    this.#node.resign();
    this.#host.dirty(this);
  }

  /** The members document has changed: the leader brings the configuration after it. */
  followMembers(): void {
    this.#leading.followMembers();
    this.#wakeIfRestless();
  }

  /** Whether a node has all that was committed a moment ago; known to the leader only. */
  hasCaughtUp(node: NodeId): boolean {
    return this.#leading.hasCaughtUp(node);
  }

  /** Whether the configuration is, and stays, what the members document says; known to the leader only. */
  get hasFollowed(): boolean {
    return this.#leading.hasFollowed;
  }

  /** The leader makes the latest version of every machine the active one. */
  activateLatest(): void {
    this.#leading.activateLatest();
    this.#wakeIfRestless();
  }

  // The turn.

  /** Sends and writes what Raft asks for, and applies nothing yet. */
  handOut(): void {
    this.#work.handOut();
  }

  /** Works off what Raft asks for, and executes messages, as far as the budget goes. */
  turn(budget: TurnBudget): void {
    // First what is committed: it makes room for more.
    this.#work.settle(budget);
    const isDiskBehind = this.#host.isDiskBehind();
    if (!isDiskBehind) this.#leading.execute(budget);
    this.#confirmations.begin(this.#host.nowMs());
    this.#work.settle(budget);
    this.#storage.flushLarge();
    for (const local of this.#changed) this.#host.documentChanged(this, local);
    this.#changed.clear();
    this.#sleep.turn();
    // What waits for the disk goes on with the tick after it has caught up.
    if (this.#hasRaftWork || (this.#leading.canGoOn && !isDiskBehind)) this.#host.dirty(this);
  }

  /** Takes no part any more, and answers what it took; for a node that stops. */
  close(why: Failure): void {
    this.#closed = true;
    this.#leading.close(why);
    this.#confirmations.close();
    this.documents.close(() => {});
  }

  /** Its turn may be over: what was proposed wakes it all the same. */
  #wakeIfRestless(): void {
    if (this.isAsleep) this.#sleep.turn();
  }

  get #hasRaftWork(): boolean {
    return this.#node.hasReady() || this.#work.isBehind;
  }

  get #state(): GroupState {
    return this.#storage.state;
  }

  #deltaApplied(local: LocalDocument): void {
    this.#host.counters.deltasApplied++;
    if (local.watches > 0) this.#changed.add(local);
  }

  #makeSleep(): Sleep {
    const { config, limits, log, peers } = this.#host;
    const { id: group } = this;
    return new Sleep({
      self: config.node,
      raft: this.#node,
      peers,
      idleSleepMs: limits.idleSleepMs,
      electionTicks: config.timing.electionTicks,
      abstains: () => this.#host.abstains(),
      isAtRest: (index) => this.flushedIndex === index && this.#isAtRest,
      fellAsleep: () => {
        log.debug('asleep', { group });
        this.#host.asleep(this, true);
      },
      woke: (why) => {
        log.debug('awake', { group, why });
        this.#host.asleep(this, false);
      },
      tellLeader: (message) => this.#host.sendHeartbeatResponse({ group, message, sleepsAt: 0 }),
    });
  }

  /** Whether nothing is under way here that Raft does not know of. */
  get #isAtRest(): boolean {
    const isAnswered = this.#leading.idle && this.#confirmations.idle;
    return isAnswered && this.#storage.idle && this.#offers.idle && this.#isAsItShouldBe;
  }

  /** Whether its configuration is what the members document says, as far as that is known here. */
  get #isAsItShouldBe(): boolean {
    const { goal } = this.#host.members;
    return goal === undefined || conforms(this.#state.confState, goal);
  }

  #isMember(peer: NodeId): boolean {
    const { voters, votersOutgoing, learners } = this.#state.confState;
    return [voters, votersOutgoing, learners].some((list) => list.includes(peer));
  }
}
