// What time asks of a node: Raft's ticks, and duties that must not be forgotten but need not be done at once.

import type { EngineConfig } from './config.js';
import type { Residency } from './documents/residency.js';
import { Sweeper } from './documents/sweeper.js';
import type { Group } from './groups/group.js';
import type { SnapshotSender } from './groups/snapshot-sender.js';
import type { ReadLoad } from './heat/read-load.js';
import type { Members } from './members/members.js';
import type { Goal } from './members/members-state.js';
import type { ClusterClock } from './peers/cluster-clock.js';
import type { Links } from './peers/links.js';
import type { Liveness } from './peers/liveness.js';
import { Balancer } from './placement/balancer.js';
import type { Forwarding } from './placement/forwarding.js';
import { Handover } from './placement/handover.js';
import type { Log } from './ports.js';
import type { DiskRoom } from './storage/disk-room.js';
import { DiskWatch } from './storage/disk-watch.js';
import type { DurableWriter } from './storage/durable-writer.js';
import type { WatchedDisk } from './storage/watched-disk.js';
import type { Heads } from './streams/heads.js';
import type { Reads } from './streams/reads.js';
import type { Deployments } from './system/deployments.js';
import type { SystemSenders } from './system/system-sender.js';

export interface UpkeepHost {
  readonly config: EngineConfig;
  readonly groups: readonly Group[];
  /** Those that do not sleep: only they get ticks. */
  readonly awake: ReadonlySet<Group>;
  /** Those that this node leads. */
  readonly led: ReadonlySet<Group>;
  readonly links: Links;
  readonly liveness: Liveness;
  readonly clusterClock: ClusterClock;
  readonly residency: Residency;
  readonly writer: DurableWriter;
  readonly disk: WatchedDisk;
  readonly diskRoom: DiskRoom;
  readonly log: Log;
  readonly readLoad: Pick<ReadLoad, 'tick'>;
  readonly reads: Reads;
  readonly heads: Heads;
  readonly forwarding: Forwarding;
  readonly snapshots: SnapshotSender;
  readonly deployments: Deployments;
  readonly senders: SystemSenders;
  readonly members: Members;
  nowMs(): number;
  /** Has each group that sleeps ask itself whether it still may. */
  lookAtSleepers(): void;
  /** Has every peer hear of this node in this turn. */
  beat(): void;
  dirty(group: Group): void;
}

const UPKEEP_MS = 250;
/** While all groups are led where they should be they are looked at less often. */
const BALANCED_MS = 1000;
/** Groups that sleep are visited once in so many upkeeps: every 16 seconds. */
const VISITS = 64;
/** Election timeouts that a write or a read may take: others would lead long before it is done. */
const STALL_ELECTIONS = 4;

export class Upkeep {
  readonly #host: UpkeepHost;
  readonly #balancer: Balancer;
  readonly #sweeper: Sweeper;
  readonly #diskWatch: DiskWatch;
  #tickedMs: number;
  #ticksMissed = 0;
  #ticksSinceBeat = 0;
  #upkeptMs: number;
  /** When leaders are looked at next. */
  #balancesMs = 0;
  /** The group that is visited next, if it sleeps. */
  #visited = 0;
  /** What configurations were to be when the sleepers were asked last. */
  #goal: Goal | undefined;
  #isDamaged = false;
  #relief: Handover | undefined;
  #handover: { readonly handover: Handover; done: (() => void) | undefined } | undefined;

  constructor(host: UpkeepHost) {
    const now = host.nowMs();
    this.#host = host;
    this.#balancer = new Balancer(host.config.node);
    this.#sweeper = new Sweeper(
      host.groups,
      { limits: host.config.limits, residency: host.residency },
      now,
    );
    this.#diskWatch = new DiskWatch({
      writer: host.writer,
      disk: host.disk,
      ticksMax: STALL_ELECTIONS * host.config.timing.electionTicks,
      changed: (isStalled) => this.#diskChanged(isStalled),
    });
    this.#tickedMs = now;
    this.#upkeptMs = now;
  }

  /** Whether the disk does not answer. */
  get isDiskStalled(): boolean {
    return this.#diskWatch.isStalled;
  }

  /** Whether this node is about to stop. */
  get isDraining(): boolean {
    return this.#handover !== undefined;
  }

  /** Ticks that groups were not given, because they came too late. */
  get ticksMissed(): number {
    return this.#ticksMissed;
  }

  /** Hands every leadership over; calls `done` once, when this node may go. */
  drain(done: () => void): void {
    this.#handover = { handover: new Handover(this.#host.config.node, this.#host.nowMs()), done };
    this.#abstain();
  }

  /** There is little room on the disk, or enough again. */
  diskRoomChanged(): void {
    this.#changeRelief();
  }

  /**
   * A copy here has lost what it had acknowledged: this disk is not to be trusted, and if it is the system group's this
   * node does not hear of changes of the members, so that what it leads would never follow them.
   */
  copyDamaged(): void {
    if (this.#isDamaged) return;
    this.#isDamaged = true;
    this.#changeRelief();
  }

  /** A node that should lead nothing gives it away, for as long as it should not. */
  #changeRelief(): void {
    const { config, diskRoom } = this.#host;
    const isDue = diskRoom.isLow || this.#isDamaged;
    this.#relief = isDue ? new Handover(config.node, this.#host.nowMs()) : undefined;
    this.#abstain();
  }

  /** Called about every tick, sooner or later. */
  tick(): void {
    const { tickMs, heartbeatTicks } = this.#host.config.timing;
    const now = this.#host.nowMs();
    const passed = Math.floor((now - this.#tickedMs) / tickMs);
    this.#tickedMs += passed * tickMs;
    // After a stall the others are heard before elections are called (docs/raft.md, pitfall 21).
    const ticks = Math.min(passed, heartbeatTicks);
    this.#ticksMissed += passed - ticks;
    this.#diskWatch.tick(ticks);
    for (const group of this.#host.awake) {
      for (let tick = 0; tick < ticks; tick++) group.tick();
      if (group.hasWork) this.#host.dirty(group);
    }
    // What wakes for a silent peer gets the ticks of its silence, this one included.
    this.#host.liveness.tick(ticks);
    this.#beat(ticks);
    this.#host.deployments.tick(now);
    this.#host.senders.tick(now);
    this.#host.members.changes.tick(now);
    if (now - this.#upkeptMs >= UPKEEP_MS) this.#upkeep(now);
  }

  /** Has every peer hear of this node in time; half as often while no group here has anything to say. */
  #beat(ticks: number): void {
    const { heartbeatTicks, electionTicks } = this.#host.config.timing;
    const isAtRest = this.#host.awake.size === 0 && electionTicks >= 4 * heartbeatTicks;
    this.#ticksSinceBeat += ticks;
    if (this.#ticksSinceBeat < (isAtRest ? 2 : 1) * heartbeatTicks) return;
    // What is left over of a tick or two is made up for by the next beat, and no more than that.
    this.#ticksSinceBeat %= heartbeatTicks;
    this.#host.beat();
  }

  #upkeep(now: number): void {
    const { awake, readLoad, reads, heads, forwarding, snapshots, dirty } = this.#host;
    this.#upkeptMs = now;
    for (const group of awake) {
      group.upkeep(now);
      dirty(group);
    }
    this.#visitSleepers(now);
    this.#host.diskRoom.check();
    readLoad.tick(now);
    reads.tick(now);
    heads.tick(now);
    forwarding.tick(now);
    snapshots.tick(now);
    this.#sweeper.sweep(now);
    this.#host.residency.tick();
    this.#host.clusterClock.check();
    this.#host.members.upkeep(now);
    this.#followMembers();
    if (this.#handover !== undefined) this.#handOver(now);
    else if (this.#relief !== undefined) this.#relieve(this.#relief);
    else this.#balance(now);
  }

  /** Groups that are not what the members document says now wake. */
  #followMembers(): void {
    const { goal } = this.#host.members.membership;
    if (goal === this.#goal) return;
    this.#goal = goal;
    this.#host.lookAtSleepers();
  }

  /** A part of the groups that sleep, so that each has its upkeep now and then and wakes if it should have. */
  #visitSleepers(now: number): void {
    const { groups, dirty } = this.#host;
    for (let count = Math.ceil(groups.length / VISITS); count > 0; count--) {
      const group = groups[this.#visited]!;
      this.#visited = (this.#visited + 1) % groups.length;
      if (!group.isAsleep) continue;
      group.upkeep(now);
      dirty(group);
    }
  }

  #balance(now: number): void {
    if (now < this.#balancesMs) return;
    const { membership } = this.#host.members;
    const isAstray = this.#balancer.balance([...this.#host.led], now, {
      canLead: (peer) => membership.canLead(peer),
      wanted: (group) => membership.wantedLeader(group),
    });
    this.#balancesMs = isAstray ? now : now + BALANCED_MS;
  }

  #handOver(now: number): void {
    const { led, forwarding, reads } = this.#host;
    const { handover, done } = this.#handover!;
    const isDone = handover.step(led, (peer) => this.#host.members.membership.canLead(peer));
    const isIdle = isDone && forwarding.idle && reads.idle;
    if (done === undefined || !(isIdle || handover.isLate(now))) return;
    this.#handover!.done = undefined;
    done();
  }

  /** Without room on the disk, or with one that has lost something, this node leads only what no other node can. */
  #relieve(relief: Handover): void {
    const { membership } = this.#host.members;
    relief.step(this.#host.led, (peer) => membership.canLead(peer));
  }

  /** A node that stops, or can make nothing durable, is not made a leader: neither by itself nor by others. */
  #abstain(): void {
    const is = this.isDraining || this.isDiskStalled;
    // If the others have no more room than this one, or are gone, it may lead, so that there are reads.
    this.#host.links.setAbstains(is || this.#host.diskRoom.isLow || this.#isDamaged);
    for (const group of this.#host.groups) group.setAbstains(is);
    this.#host.lookAtSleepers();
  }

  #diskChanged(isStalled: boolean): void {
    const { log, led } = this.#host;
    this.#abstain();
    if (!isStalled) {
      log.info('disk-answers');
      return;
    }
    const { tickMs, electionTicks } = this.#host.config.timing;
    log.error('disk-stalled', { ms: STALL_ELECTIONS * electionTicks * tickMs });
    for (const group of led) group.resign();
  }
}
