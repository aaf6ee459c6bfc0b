// What an engine is made of, put together; and its turn: all groups work off what the turn's events brought,
// then everything leaves at once. Appends leave before they are written here (docs/decisions/0002).

import { SYSTEM_GROUP } from '@deltabase/machine';
import { majorityVote } from 'raft-ts';
import type { EngineConfig } from './config.js';
import type { DocumentName } from './documents/document-name.js';
import { Residency } from './documents/residency.js';
import { Group } from './groups/group.js';
import type { GroupCounters, GroupHost } from './groups/group-host.js';
import { SnapshotSender } from './groups/snapshot-sender.js';
import { ReadLoad } from './heat/read-load.js';
import type { Expulsion } from './members/member.js';
import { Members } from './members/members.js';
import { ClusterClock } from './peers/cluster-clock.js';
import { type FrameHeader, foundersDigest } from './peers/frame.js';
import { PeerIntake } from './peers/intake.js';
import { Links } from './peers/links.js';
import { Liveness } from './peers/liveness.js';
import { Forwarding } from './placement/forwarding.js';
import { Router } from './placement/router.js';
import type { DiskOperation, NodeId, Ports } from './ports.js';
import type { AnswerSink } from './results.js';
import { LogCompactor, removeRows } from './storage/cleanup.js';
import { DiskRoom } from './storage/disk-room.js';
import { DurableWriter } from './storage/durable-writer.js';
import type { RecoveredNode } from './storage/recovery.js';
import { WatchedDisk } from './storage/watched-disk.js';
import type { DocumentSource } from './streams/document-source.js';
import { GroupDocument } from './streams/group-document.js';
import { Heads } from './streams/heads.js';
import { Reads } from './streams/reads.js';
import { Watches } from './streams/watches.js';
import { Deployments } from './system/deployments.js';
import { Machines } from './system/machines.js';
import { SystemSenders } from './system/system-sender.js';
import { Tasks } from './tasks.js';
import { TurnBudget } from './turn-budget.js';
import { TurnLoop } from './turn-loop.js';
import { Upkeep } from './upkeep.js';

export class EngineParts {
  readonly loop: TurnLoop;
  readonly disk: WatchedDisk;
  readonly writer: DurableWriter;
  readonly diskRoom: DiskRoom;
  readonly residency: Residency;
  readonly links: Links;
  readonly liveness: Liveness;
  readonly clusterClock: ClusterClock;
  readonly forwarding: Forwarding;
  readonly router: Router;
  readonly groups: readonly Group[];
  readonly machines: Machines;
  readonly senders: SystemSenders;
  readonly deployments: Deployments;
  readonly members: Members;
  readonly readLoad: ReadLoad;
  readonly reads: Reads;
  readonly watches: Watches;
  readonly heads: Heads;
  readonly snapshots: SnapshotSender;
  readonly upkeep: Upkeep;
  readonly counters: GroupCounters = {
    executed: 0,
    failed: 0,
    deltasApplied: 0,
    logBytesWritten: 0,
  };
  /** Sinks that got an answer in this turn. */
  readonly touched = new Set<AnswerSink>();
  readonly stopTicks: () => void;
  readonly #ports: Ports;
  readonly #config: EngineConfig;
  readonly #tasks: Tasks;
  /** The groups that had a turn with the last one of the node: the others are as they were. */
  turned: readonly Group[] = [];
  #dirty = new Set<Group>();
  /** Groups that get ticks. */
  readonly #awake = new Set<Group>();
  /** Groups that this node leads. */
  readonly #led = new Set<Group>();
  /** Told of each group that has another leader, as this node sees it. */
  leaderListener: (group: number, leader: NodeId) => void = () => {};
  /** In this life. */
  #hasHeardQuorum = false;
  /** This turn every peer hears of this node. */
  #beatDue = false;

  constructor(
    ports: Ports,
    config: EngineConfig,
    recovered: RecoveredNode,
    expelled: (expulsion: Expulsion) => void,
  ) {
    const { clock, network, log, random } = ports;
    const { limits, cluster, groups, node } = config;
    const { incarnation, founders, clusterId } = recovered.row;
    const { touched } = this;
    this.#ports = ports;
    this.#config = config;
    const digest = foundersDigest(founders);
    const header: FrameHeader & { clusterId: string } = {
      ...{ cluster, clusterId, groups, founders: digest, incarnation },
    };
    const life = random.next();
    const nowMs = (): number => clock.monotonicMs();
    const inTurn = (step: () => void): void => this.loop.enqueue(step);
    const wake = (): void => this.loop.wake();
    const dirty = (group: Group): void => this.#makeDirty(group);
    const write = (operations: readonly DiskOperation[], done: () => void): void =>
      this.writer.add(operations, done);
    const sendBulk: GroupHost['sendBulk'] = (to, frame) => this.links.sendBulk(to, frame);

    this.clusterClock = new ClusterClock({ clock, log, skewMsMax: limits.clockSkewMsMax });
    const disk = new WatchedDisk(ports.disk);
    this.disk = disk;
    this.loop = new TurnLoop(clock, () => this.#work());
    this.#tasks = new Tasks(this.loop);
    this.residency = new Residency(limits);
    this.writer = new DurableWriter(disk, this.loop, limits);
    this.diskRoom = new DiskRoom({
      disk,
      log,
      freeBytesMin: limits.diskFreeBytesMin,
      changed: () => this.upkeep.diskRoomChanged(),
    });
    const wallMs = (): number => this.clusterClock.ownWallMs;
    this.links = new Links({
      ...{ self: node, network, limits, header, life, wallMs, nowMs },
      after: (delayMs, run) => clock.after(delayMs, () => inTurn(run)),
      isWatched: () => this.watches.count > 0 || !this.reads.idle,
    });
    this.liveness = new Liveness({
      silentTicksMax: config.timing.electionTicks,
      lost: (peer) => {
        for (const group of this.groups) group.peerLost(peer);
        this.#lookAtSleepers();
      },
      returned: () => this.#peerReturned(),
    });
    this.forwarding = new Forwarding({ links: this.links, limits, touched, life });
    this.snapshots = new SnapshotSender({ disk, limits, header, send: sendBulk, inTurn });
    this.readLoad = new ReadLoad({
      ...{ limits, nowMs, inTurn },
      takeLongestWait: () => this.loop.takeLongestWait(),
    });
    const { heat, shedding } = this.readLoad;
    this.reads = new Reads({ limits, heat, shedding, nowMs, wake });
    this.heads = new Heads({ limits, nowMs, sourceOf: (name) => this.documentOf(name) });
    this.watches = new Watches({
      ...{ limits, heat, shedding, nowMs, inTurn, wake },
      after: (delayMs, run) => clock.after(delayMs, () => inTurn(run)),
    });

    this.senders = new SystemSenders({
      nowMs,
      wallMs: () => this.clusterClock.wallMs(),
      sessionPrefix: `$node-${node}-${incarnation}-${life}-`,
      submit: (submission) => this.router.submitOwn(submission),
    });
    const { links, liveness, clusterClock, senders } = this;
    this.members = new Members({
      ...{ ports, config, recovered, header, links, liveness, clusterClock, senders },
      tasks: this.#tasks,
      groups: () => this.groups,
      submit: (submission) => this.router.submitOwn(submission),
      ...{ nowMs, inTurn, write, expelled },
    });
    const { membership, identities, standings } = this.members;
    const host = this.#groupHost({ header, life, write, sendBulk, dirty });
    this.groups = recovered.groups.map((group) => new Group(host, group));
    this.router = new Router({
      self: node,
      groups: this.groups,
      limits,
      forwarding: this.forwarding,
      touched,
      nowMs,
      isReachable: (peer) => this.links.isReachable(peer),
      lowDiskBytes: () => (this.diskRoom.isLow ? this.diskRoom.freeBytes : undefined),
    });
    this.machines = new Machines({
      host: ports.machines,
      log,
      limits,
      system: this.groups[SYSTEM_GROUP]!,
      membersView: this.members.view,
      inTurn,
      nowMs: () => ports.clock.monotonicMs(),
      changed: () => {
        for (const group of this.groups) group.activateLatest();
        this.deployments.activated();
      },
    });
    this.deployments = new Deployments({
      nowMs,
      limits,
      machines: ports.machines,
      registry: this.machines.registry,
      groups: this.groups.slice(SYSTEM_GROUP + 1),
      tasks: this.#tasks,
      senders,
    });
    const { groups: all, reads, forwarding, snapshots, deployments, router } = this;
    const { residency, writer, diskRoom, members } = this;
    const ways = { links, liveness, clusterClock, forwarding, snapshots };
    const parts = { groups: all, ...ways, log, nowMs, dirty };
    this.upkeep = new Upkeep({
      ...{
        ...parts,
        config,
        readLoad: this.readLoad,
        reads,
        heads: this.heads,
        deployments,
        senders,
        members,
        residency,
        writer,
        disk,
        diskRoom,
      },
      awake: this.#awake,
      led: this.#led,
      lookAtSleepers: () => this.#lookAtSleepers(),
      beat: () => {
        this.#beatDue = true;
      },
    });
    const takesEntries = (): boolean => !writer.isFull && !diskRoom.isSpent;
    const heard = { identities, membership, standings };
    const intake = new PeerIntake({
      ...{ ...parts, ...heard, self: node, router, takesEntries },
      peerChanged: () => this.#lookAtSleepers(),
    });
    network.listen({
      received: (from, lane, frame) => inTurn(() => intake.received(from, lane, frame)),
      reachable: (peer, is) => inTurn(() => intake.reachable(peer, is)),
      met: (stranger, address) => inTurn(() => members.peers.met(stranger, address)),
    });
    this.stopTicks = clock.every(config.timing.tickMs, () => inTurn(() => this.upkeep.tick()));
    this.machines.follow();
    membership.follow();
    for (const group of this.groups) {
      this.#awake.add(group);
      this.#makeDirty(group);
    }
  }

  /** A document of this node, for reads and watches. */
  documentOf(name: DocumentName): DocumentSource {
    return new GroupDocument(this.router.groupOf(name.space, name.key), this.disk, name);
  }

  /** Has each group that sleeps ask itself whether it still may. */
  #lookAtSleepers(): void {
    for (const group of this.groups) if (group.isAsleep) this.#makeDirty(group);
  }

  #makeDirty(group: Group): void {
    this.#dirty.add(group);
    this.loop.wake();
  }

  /** When this node hears of a quorum for the first time, all take their turns to campaign (decisions/0011). */
  #peerReturned(): void {
    this.#lookAtSleepers();
    const { liveness, groups } = this;
    const isThere = (id: NodeId): boolean => id === this.#config.node || liveness.isLive(id);
    const { voters } = groups[SYSTEM_GROUP]!;
    if (this.#hasHeardQuorum || majorityVote(voters, isThere) !== 'won') return;
    this.#hasHeardQuorum = true;
    // The others are to hear of this node at the same moment.
    this.#beatDue = true;
    for (const group of groups) group.awaitElection();
  }

  #roleChanged(group: Group): void {
    if (group.role === 'leader') this.#led.add(group);
    else this.#led.delete(group);
    this.leaderListener(group.id, group.lead);
  }

  /** There may be a next step, here or, once all others are done, in the system group. */
  #configured(group: Group): void {
    group.followMembers();
    this.groups[SYSTEM_GROUP]!.followMembers();
  }

  #work(): void {
    const nowMs = (): number => this.#ports.clock.monotonicMs();
    const budget = new TurnBudget(this.#config.limits, nowMs);
    const groups = [...this.#dirty];
    this.#dirty = new Set();
    this.turned = groups;
    if (this.#beatDue) this.#beat(groups);
    // Each turn begins with another group, so that a spent budget is not always spent on the same ones.
    const first = groups.length === 0 ? 0 : this.loop.turns % groups.length;
    for (let at = 0; at < groups.length; at++) groups[(first + at) % groups.length]!.turn(budget);
    this.readLoad.heat.advance(nowMs());
    this.reads.turn();
    this.writer.flush(this.links.flush());
    this.watches.turn();
    for (const sink of this.touched) sink.flush();
    this.touched.clear();
  }

  /** Heartbeats leave before anything runs that takes time (docs/raft.md, pitfall 21). */
  #beat(groups: readonly Group[]): void {
    this.#beatDue = false;
    for (const group of groups) group.handOut();
    this.links.beat();
    this.links.flush();
  }

  #groupHost(
    given: Pick<GroupHost, 'header' | 'life' | 'write' | 'sendBulk' | 'dirty'>,
  ): GroupHost {
    const { clock, random, log } = this.#ports;
    const { disk } = this;
    const compactor = new LogCompactor(disk, (step) => this.loop.enqueue(step));
    return {
      ...given,
      config: this.#config,
      limits: this.#config.limits,
      residency: this.residency,
      disk,
      log,
      counters: this.counters,
      touched: this.touched,
      nowMs: () => clock.monotonicMs(),
      wallMs: () => this.clusterClock.wallMs(),
      isDiskBehind: () => this.writer.isFull,
      writeEarly: () => {
        if (this.turned.length === 1) this.writer.flush();
      },
      random: () => random.next(),
      run: (task, finished) => this.#tasks.run(task, finished),
      queue: (task, finished) => this.#tasks.queue(task, finished),
      send: (group, message) => this.links.sendRaft(group, message),
      sendLater: (group, message) => this.links.sendLater(group, message),
      mayWait: (peer, asked, count) => this.links.mayWait(peer, asked, count),
      leadershipEnded: (group) => this.links.leadershipEnded(group),
      sendHeartbeat: (heartbeat, options) => this.links.sendHeartbeat(heartbeat, options),
      sendHeartbeatResponse: (response) => this.links.sendHeartbeatResponse(response),
      roleChanged: (group) => this.#roleChanged(group),
      wantedLeader: (group) => this.members.membership.wantedLeader(group),
      members: this.members.membership,
      configured: (group) => this.loop.enqueue(() => this.#configured(group)),
      peers: {
        isLive: (peer) => this.liveness.isLive(peer),
        silentTicks: (peer) => this.liveness.silentTicks(peer),
        isAbstaining: (peer) => this.links.isAbstaining(peer),
      },
      abstains: () => this.links.abstains,
      copyDamaged: () => this.upkeep.copyDamaged(),
      asleep: (group, is) => {
        if (is) this.#awake.delete(group);
        else this.#awake.add(group);
        this.#makeDirty(group);
      },
      latestVersions: (group) => this.machines.latestVersions(group),
      machine: (space, version, ready) => this.machines.registry.machine(space, version, ready),
      runMachine: (machine, call, draft) => this.machines.run(machine, call, draft),
      reroute: (submission) => this.router.reroute(submission),
      activated: () => this.deployments.activated(),
      documentChanged: (group, local) => {
        this.watches.changed(local);
        this.reads.changed(local);
        if (group.id !== SYSTEM_GROUP) return;
        this.machines.documentChanged(local);
        this.members.membership.documentChanged(local);
      },
      logCompacted: (bytes) => compactor.deleted(bytes),
      installed: (group, before) => {
        if (group.id === SYSTEM_GROUP) {
          this.machines.follow();
          this.members.membership.follow();
        }
        this.watches.replaced(before, (name) => this.documentOf(name));
        this.reads.replaced(before);
      },
      unused: (range) => this.#tasks.run(removeRows(disk, range, given.write), () => {}),
    };
  }
}
