// The engine of one node: all its groups, and what passes between them, the disk, the other nodes and the
// node's clients, a turn at a time (turn-loop.ts). It meets the world only through its ports; the same code
// runs in production and under the simulator.

import { DeltabaseError } from '@deltabase/base';
import type { Draft, Value } from '@deltabase/delta';
import {
  checkChannelName,
  checkDocumentKey,
  checkSpaceName,
  SYSTEM_GROUP,
  SYSTEM_SPACE,
} from '@deltabase/machine';
import type { Entry } from 'raft-ts';
import { checkConfig, type EngineConfig } from './config.js';
import type { LocalDocument } from './documents/local-document.js';
import { Group } from './groups/group.js';
import type { GroupCounters, GroupHost } from './groups/group-host.js';
import { SnapshotSender } from './groups/snapshot-sender.js';
import { decodeBulkFrame, decodeFrame, type FrameHeader } from './peers/frame.js';
import { Links } from './peers/links.js';
import { decodeRaftMessage } from './peers/raft-codec.js';
import { Balancer } from './placement/balancer.js';
import { decodeForward, Forwarding, PeerAnswerSink } from './placement/forwarding.js';
import { Router } from './placement/router.js';
import type { Call, Lane, Machine, NodeId, Outcome, Ports } from './ports.js';
import { type AnswerSink, type Failure, failure, failureOf, type Submission } from './results.js';
import type { EngineStatus } from './status.js';
import { LogCompactor, removeOtherGenerations } from './storage/cleanup.js';
import { DurableWriter } from './storage/durable-writer.js';
import { formatNode, type RecoveredNode, recoverNode } from './storage/recovery.js';
import { type HistoryPage, readHistory, readStored } from './streams/history.js';
import { type ReadRequest, type ReadResult, Reads } from './streams/reads.js';
import type { Watch, WatchSink } from './streams/watcher.js';
import { Watches, type WatchRequest } from './streams/watches.js';
import {
  Deployment,
  type DeploymentHost,
  type DeployRequest,
  type DeployResult,
} from './system/deployment.js';
import { MachineRegistry, type MachineVersion } from './system/machine-registry.js';
import { MACHINES_KEY, moduleKey, runSystemMachine } from './system/system-machine.js';
import { runTask, type Task } from './task.js';
import { TurnBudget } from './turn-budget.js';
import { TurnLoop } from './turn-loop.js';

const UPKEEP_MS = 250;
const SWEEP_MS = 5000;
/** With too much in memory, documents that were not used for so long must go. */
const PRESSED_EVICT_MS = 1000;
const WATCH_BEGIN_MS = 10_000;
const DRAIN_MS = 10_000;
/** A node that stops tries for so long to hand its groups over: the others may be stopping too. */
const HANDOVER_MS = 2000;

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

interface ActivationWaiter {
  readonly space: string;
  readonly version: number;
  readonly expiresMs: number;
  readonly done: (is: boolean) => void;
}

/**
 * Starts the engine on what is on its disk, or formats an empty one. Calls `started` once it runs; throws
 * INVALID_ARGUMENT for a configuration that cannot work, and what recovery finds wrong (NODE_MISMATCH,
 * DATA_CORRUPT) comes as an error in place of the engine.
 */
export function startEngine(
  ports: Ports,
  config: EngineConfig,
  started: (engine: Engine | DeltabaseError) => void,
): void {
  checkConfig(config);
  const soon = (step: () => void): void => ports.clock.soon(step);
  const finished = (node: RecoveredNode | undefined): void => {
    if (node !== undefined) {
      started(new Engine(ports, config, node));
      return;
    }
    const format = formatNode(config, ports.random);
    ports.disk.write(format.operations, () =>
      soon(() => started(new Engine(ports, config, format.node))),
    );
  };
  runTask(recoverNode(ports.disk, config), soon, finished, (thrown) => {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    started(thrown);
  });
}

export class Engine {
  readonly #ports: Ports;
  readonly #config: EngineConfig;
  readonly #header: FrameHeader;
  readonly #loop: TurnLoop;
  readonly #writer: DurableWriter;
  readonly #links: Links;
  readonly #forwarding: Forwarding;
  readonly #router: Router;
  readonly #groups: Group[];
  readonly #registry: MachineRegistry;
  readonly #reads: Reads;
  readonly #watches: Watches;
  readonly #snapshots: SnapshotSender;
  readonly #compactor: LogCompactor;
  readonly #balancer: Balancer;
  readonly #peerSinks = new Map<NodeId, PeerAnswerSink>();

  readonly #counters: GroupCounters = { executed: 0, failed: 0, deltasApplied: 0 };
  readonly #touched = new Set<AnswerSink>();
  #dirty = new Set<Group>();
  #latest: readonly MachineVersion[] = [];
  #timers: Timer[] = [];
  #activationWaiters: ActivationWaiter[] = [];
  #sessionsNamed = 0;

  readonly #startedMs: number;
  #tickedMs: number;
  #upkeptMs: number;
  #sweptMs: number;
  #residentBytes = 0;
  readonly #stopTicks: () => void;
  #draining: { readonly done: () => void; readonly sinceMs: number } | undefined;
  #stopped = false;

  /** Use `startEngine`. */
  constructor(ports: Ports, config: EngineConfig, recovered: RecoveredNode) {
    const { clock, disk, network, log } = ports;
    const { limits, node } = config;
    this.#ports = ports;
    this.#config = config;
    this.#header = { cluster: config.cluster, incarnation: recovered.row.incarnation };
    this.#loop = new TurnLoop(clock, () => this.#work());
    const inTurn = (step: () => void): void => this.#loop.enqueue(step);
    this.#writer = new DurableWriter(disk, this.#loop, limits);
    const write: GroupHost['write'] = (operations, done) => {
      this.#writer.add(operations, done);
      this.#loop.wake();
    };
    const header = this.#header;
    const incarnations = recovered.peers;
    this.#links = new Links({ network, limits, log, header, incarnations, write });
    this.#forwarding = new Forwarding(this.#links, limits, this.#touched);
    const send = (to: NodeId, frame: Uint8Array): void => this.#links.sendBulk(to, frame);
    this.#snapshots = new SnapshotSender({ disk, limits, header, send, inTurn });
    this.#compactor = new LogCompactor(disk, inTurn);
    this.#balancer = new Balancer(node);
    this.#reads = new Reads({ disk, limits, run: (task, done) => this.#run(task, done) });
    this.#watches = new Watches(
      limits,
      (local, from, done) => this.#run(readStored(disk, local, from), done),
      inTurn,
    );
    this.#registry = new MachineRegistry({
      host: ports.machines,
      log,
      inTurn,
      readModule: (hash, done) => this.#readModule(hash, done),
    });
    const now = clock.monotonicMs();
    this.#startedMs = now;
    this.#tickedMs = now;
    this.#upkeptMs = now;
    this.#sweptMs = now;
    const host = this.#groupHost(write);
    this.#groups = recovered.groups.map((group) => new Group(host, group));
    this.#router = new Router({
      self: node,
      groups: this.#groups,
      limits,
      forwarding: this.#forwarding,
      touched: this.#touched,
      nowMs: () => clock.monotonicMs(),
      isReachable: (peer) => this.#links.isReachable(peer),
      dirty: (group) => this.#makeDirty(group),
    });
    network.listen({
      received: (from, lane, frame) => inTurn(() => this.#receive(from, lane, frame)),
      reachable: (peer, is) => inTurn(() => this.#reachable(peer, is)),
    });
    this.#stopTicks = clock.every(config.timing.tickMs, () => inTurn(() => this.#tick()));
    this.#pinMachines();
    for (const group of this.#groups) {
      this.#removeOtherGenerations(group.id, group.documents.generation);
      this.#makeDirty(group);
    }
  }

  get config(): EngineConfig {
    return this.#config;
  }

  /** Who leads the group of a document, as far as this node knows; 0: unknown. */
  leaderOf(space: string, key: string): NodeId {
    return this.#router.groupOf(space, key).lead;
  }

  /** Who leads each group, by the group's number, as far as this node knows; 0: unknown. */
  leaders(): NodeId[] {
    return this.#groups.map((group) => group.lead);
  }

  /** Takes messages; each sink gets its answers in later turns. Names are checked here. */
  submit(submissions: readonly Submission[]): void {
    this.#loop.enqueue(() => {
      for (const submission of submissions) this.#submit(submission);
    });
  }

  /** Reads a document. */
  read(request: ReadRequest, answer: (result: ReadResult) => void): void {
    this.#loop.enqueue(() => {
      const invalid = this.#nameProblem(request.space, request.key);
      if (invalid !== undefined) {
        answer(invalid);
        return;
      }
      const group = this.#router.groupOf(request.space, request.key);
      this.#reads.read(group, request, answer);
      this.#makeDirty(group);
    });
  }

  /** Watches a document; what goes wrong ends the watch through its sink. */
  watch(request: WatchRequest, sink: WatchSink): Watch {
    let begun: Watch | undefined;
    let cancelled = false;
    this.#loop.enqueue(() => {
      if (cancelled) return;
      this.#beginWatch(request, sink, (watch) => {
        begun = watch;
        if (cancelled) watch.cancel();
      });
    });
    return {
      resume: () => begun?.resume(),
      cancel() {
        cancelled = true;
        begun?.cancel();
      },
    };
  }

  /** Reads a page of a document's history, from `fromSeq` (at least 1) on. */
  history(
    request: { readonly space: string; readonly key: string; readonly fromSeq: number },
    answer: (page: HistoryPage | Failure) => void,
  ): void {
    this.#loop.enqueue(() => {
      const { space, key, fromSeq } = request;
      const invalid = this.#nameProblem(space, key);
      if (invalid !== undefined) {
        answer(invalid);
        return;
      }
      const group = this.#router.groupOf(space, key);
      const local = group.documents.open(space, key);
      group.documents.load(local, () => {
        const { limits } = this.#config;
        this.#run(readHistory(this.#ports.disk, local, fromSeq, limits), answer);
      });
    });
  }

  /** Deploys a machine. */
  deploy(request: DeployRequest, answer: (result: DeployResult) => void): void {
    this.#loop.enqueue(() => {
      const invalid = problemOf(() => checkSpaceName(request.space, this.#config.limits));
      if (invalid !== undefined) answer(invalid);
      else this.#run(new Deployment(this.#deploymentHost(), request).run(), answer);
    });
  }

  /** The machines there are, as this node knows them. */
  get registry(): MachineRegistry {
    return this.#registry;
  }

  /** A module's bytes; `undefined` if this node does not have them. */
  module(hash: string, answer: (module: Uint8Array | undefined) => void): void {
    this.#loop.enqueue(() =>
      this.#readModule(hash, (state) => {
        answer(state === undefined ? undefined : this.#registry.moduleBytes(hash, state));
      }),
    );
  }

  /** Entries of a group's log that this node has, from `fromIndex` on, about a megabyte of them. */
  readLog(
    group: number,
    fromIndex: number,
    answer: (entries: readonly Entry[], commitIndex: number) => void,
  ): void {
    this.#loop.enqueue(() => {
      const found = this.#groups[group];
      if (found === undefined) answer([], 0);
      else answer(found.readLog(fromIndex, Infinity, 2 ** 20), found.status().commit);
    });
  }

  status(): EngineStatus {
    const { clock, disk } = this.#ports;
    const { cluster, node, members } = this.#config;
    const { freeBytes, usedBytes } = disk.space();
    const sum = (of: (group: Group) => number): number =>
      this.#groups.reduce((total, group) => total + of(group), 0);
    return {
      cluster,
      node,
      incarnation: this.#header.incarnation,
      uptimeMs: clock.monotonicMs() - this.#startedMs,
      members: members.map((id) => ({
        node: id,
        reachable: id === node || this.#links.isReachable(id),
      })),
      groups: this.#groups.map((group) => ({
        ...group.status(),
        group: group.id,
        flushedIndex: group.flushedIndex,
        queued: group.queueLength,
      })),
      counters: {
        residentDocuments: sum((group) => group.documents.residentCount),
        residentBytes: this.#residentBytes,
        messagesExecuted: this.#counters.executed,
        messagesFailed: this.#counters.failed,
        messagesForwarded: this.#forwarding.count,
        deltasApplied: this.#counters.deltasApplied,
        turns: this.#loop.turns,
        diskWrites: this.#writer.writes,
        diskBytesWritten: this.#writer.bytesWritten,
        diskBytesUsed: usedBytes,
        diskBytesFree: freeBytes,
        peerFramesSent: this.#links.counters.framesSent,
        peerBytesSent: this.#links.counters.bytesSent,
        watches: this.#watches.count,
      },
    };
  }

  /**
   * Takes no more messages, hands every leadership to another node, answers what it took, and calls `done`;
   * after some seconds it does so in any case.
   */
  drain(done: () => void): void {
    this.#loop.enqueue(() => {
      this.#router.drain();
      this.#draining = { done, sinceMs: this.#now() };
    });
  }

  /** Stops at once, as far as this engine's own doing goes; what is durable stays so. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stopTicks();
    this.#watches.endAll(failure('UNAVAILABLE', 'this node stops: watch at another one'));
    for (const group of this.#groups) group.close();
    for (const sink of this.#touched) sink.flush();
    this.#snapshots.close();
    this.#loop.stop();
  }

  // The turn.

  #work(): void {
    if (this.#stopped) return;
    const budget = new TurnBudget(this.#config.limits);
    const groups = [...this.#dirty];
    this.#dirty = new Set();
    // Each turn begins with another group, so that a spent budget is not always spent on the same ones.
    const first = groups.length === 0 ? 0 : this.#loop.turns % groups.length;
    for (let at = 0; at < groups.length; at++) groups[(first + at) % groups.length]!.turn(budget);
    // Appends leave before they are written here (RAFT.md section 6, point 2).
    this.#links.flush();
    this.#writer.flush();
    for (const sink of this.#touched) sink.flush();
    this.#touched.clear();
  }

  #makeDirty(group: Group): void {
    this.#dirty.add(group);
    this.#loop.wake();
  }

  #tick(): void {
    const { tickMs, heartbeatTicks } = this.#config.timing;
    const now = this.#now();
    // After a stall the others are heard before elections are called (RAFT.md pitfall 21).
    const ticks = Math.min(Math.floor((now - this.#tickedMs) / tickMs), heartbeatTicks);
    if (ticks >= heartbeatTicks) this.#tickedMs = now;
    else this.#tickedMs += ticks * tickMs;
    for (const group of this.#groups) {
      for (let tick = 0; tick < ticks; tick++) group.tick();
      this.#makeDirty(group);
    }
    this.#runTimers(now);
    if (now - this.#upkeptMs >= UPKEEP_MS) this.#upkeep(now);
    if (now - this.#sweptMs >= SWEEP_MS) this.#sweep(now);
  }

  #upkeep(now: number): void {
    this.#upkeptMs = now;
    for (const group of this.#groups) group.upkeep(now);
    this.#reads.tick(now);
    this.#forwarding.tick(now);
    this.#snapshots.tick(now);
    this.#settleActivations(now);
    if (this.#draining !== undefined) this.#continueDraining(now);
    else this.#balance(now);
  }

  /** Documents that nothing has used for a while leave memory, sooner if there are too many bytes of them. */
  #sweep(now: number): void {
    this.#sweptMs = now;
    const { idleEvictMs, residentBytesMax } = this.#config.limits;
    this.#residentBytes = this.#evict(now - idleEvictMs);
    if (this.#residentBytes > residentBytesMax) {
      this.#residentBytes = this.#evict(now - PRESSED_EVICT_MS);
    }
  }

  #evict(beforeMs: number): number {
    return this.#groups.reduce((bytes, group) => bytes + group.documents.evict(beforeMs), 0);
  }

  #balance(now: number): void {
    const led = this.#groups.filter((group) => group.role === 'leader');
    this.#balancer.balance(led, now, (peer) => this.#links.isReachable(peer));
  }

  #continueDraining(now: number): void {
    const { done, sinceMs } = this.#draining!;
    const canHandOver = now - sinceMs < HANDOVER_MS;
    let isNeeded = !this.#forwarding.idle || !this.#writer.idle;
    for (const group of this.#groups) {
      if (group.role !== 'leader') continue;
      const heir = canHandOver ? this.#heirOf(group) : undefined;
      if (heir !== undefined) group.transferTo(heir);
      isNeeded ||= heir !== undefined || !group.idle;
      this.#makeDirty(group);
    }
    if (isNeeded && now - sinceMs < DRAIN_MS) return;
    this.#draining = undefined;
    this.#router.drain();
    done();
  }

  /** A voter that can take a group over; `undefined`: none can be reached. */
  #heirOf(group: Group): NodeId | undefined {
    return group.voters.find((id) => id !== this.#config.node && this.#links.isReachable(id));
  }

  #runTimers(now: number): void {
    const due = this.#timers.filter(({ atMs }) => atMs <= now);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter(({ atMs }) => atMs > now);
    for (const { run } of due) run();
  }

  // Messages from clients and other nodes.

  #submit(submission: Submission): void {
    const { message, sink, tag } = submission;
    const invalid =
      this.#nameProblem(message.space, message.key) ?? this.#messageProblem(submission);
    if (invalid === undefined) {
      this.#router.submit(submission);
    } else {
      sink.answer(tag, invalid);
      this.#touched.add(sink);
    }
  }

  #nameProblem(space: string, key: string): Failure | undefined {
    const { limits } = this.#config;
    return problemOf(() => {
      if (space !== SYSTEM_SPACE) checkSpaceName(space, limits);
      checkDocumentKey(key, limits);
    });
  }

  #messageProblem({ message }: Submission): Failure | undefined {
    const { limits } = this.#config;
    if (message.space === SYSTEM_SPACE) {
      return failure('INVALID_ARGUMENT', 'the system space takes no messages: deploy instead');
    }
    if (message.payload.length > limits.payloadBytesMax) {
      const why = `the payload has ${message.payload.length} bytes, ${limits.payloadBytesMax} are allowed`;
      return failure('INVALID_ARGUMENT', why);
    }
    return problemOf(() => checkChannelName(message.channel, limits));
  }

  #receive(from: NodeId, lane: Lane, bytes: Uint8Array): void {
    try {
      if (lane === 'bulk') this.#receiveBulk(from, bytes);
      else this.#receiveFrame(from, bytes);
    } catch (thrown) {
      // A frame that cannot be read is lost, like any other that does not come.
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      this.#ports.log.warn('bad-frame', { peer: from, reason: thrown.message });
    }
  }

  #receiveFrame(from: NodeId, bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (!this.#links.accepts(from, frame)) return;
    const now = this.#now();
    for (const list of frame.raft) {
      const { group: id, message } = decodeRaftMessage(this.#config.node, list);
      const group = this.#groups[id];
      if (group === undefined || message.from !== from) continue;
      group.step(message);
      this.#makeDirty(group);
    }
    for (const list of frame.forwards) {
      this.#router.submitForwarded(decodeForward(list, this.#peerSink(from), now));
    }
    for (const list of frame.answers) this.#forwarding.answered(from, list);
  }

  #receiveBulk(from: NodeId, bytes: Uint8Array): void {
    const frame = decodeBulkFrame(bytes);
    const group = this.#groups[frame.group];
    if (!this.#links.accepts(from, frame) || group === undefined) return;
    const now = this.#now();
    if (frame.kind === 'chunk') {
      group.receiver.chunk(from, frame, now);
    } else {
      group.snapshotPulled(from, now);
      this.#snapshots.pull(from, frame, now);
    }
  }

  #reachable(peer: NodeId, is: boolean): void {
    this.#links.setReachable(peer, is);
    this.#ports.log.info('reachable', { peer, is });
    if (is) return;
    this.#forwarding.lost(peer);
    for (const group of this.#groups) {
      group.peerUnreachable(peer);
      this.#makeDirty(group);
    }
  }

  #peerSink(peer: NodeId): PeerAnswerSink {
    let sink = this.#peerSinks.get(peer);
    if (sink === undefined) {
      sink = new PeerAnswerSink(this.#links, peer);
      this.#peerSinks.set(peer, sink);
    }
    return sink;
  }

  // Watches.

  #beginWatch(request: WatchRequest, sink: WatchSink, begun: (watch: Watch) => void): void {
    const { space, key } = request;
    const group = this.#router.groupOf(space, key);
    const refusal = this.#nameProblem(space, key) ?? this.#watches.refusal();
    if (refusal !== undefined) {
      sink.end(refusal);
      return;
    }
    group.confirm(this.#now() + WATCH_BEGIN_MS, (reached) => {
      if (!reached) {
        sink.end(failure('UNAVAILABLE', 'no leader confirmed the state in time: watch again'));
      } else if (space !== SYSTEM_SPACE && group.activeVersion(space) === undefined) {
        const why = `no machine is deployed as ${space}: deploy one first`;
        sink.end(failure('SPACE_NOT_FOUND', why));
      } else {
        const { documents } = group;
        documents.load(documents.open(space, key), () =>
          begun(this.#watches.begin(documents, request, sink)),
        );
      }
    });
    this.#makeDirty(group);
  }

  // Machines.

  /** The list of machines stays in memory, and every change of it is taken up. */
  #pinMachines(): void {
    const { documents } = this.#groups[SYSTEM_GROUP]!;
    const machines = documents.open(SYSTEM_SPACE, MACHINES_KEY);
    machines.watches++;
    documents.load(machines, () => this.#machinesChanged(machines));
  }

  #machinesChanged(machines: LocalDocument): void {
    this.#registry.update(machines.document!.committed.root);
    this.#latest = this.#registry.list();
    for (const group of this.#groups) group.activateLatest();
  }

  #readModule(hash: string, done: (state: Value | undefined) => void): void {
    const { documents } = this.#groups[SYSTEM_GROUP]!;
    const local = documents.open(SYSTEM_SPACE, moduleKey(hash));
    documents.load(local, () => {
      const { seq, root } = local.document!.committed;
      done(seq === 0 ? undefined : root);
    });
  }

  #settleActivations(now: number): void {
    const open = this.#activationWaiters;
    this.#activationWaiters = [];
    for (const waiter of open) {
      if (this.#isActive(waiter.space, waiter.version)) waiter.done(true);
      else if (waiter.expiresMs <= now) waiter.done(false);
      else this.#activationWaiters.push(waiter);
    }
  }

  #isActive(space: string, version: number): boolean {
    return this.#groups
      .slice(SYSTEM_GROUP + 1)
      .every((group) => (group.activeVersion(space) ?? 0) >= version);
  }

  #deploymentHost(): DeploymentHost {
    const { clock, machines } = this.#ports;
    return {
      limits: this.#config.limits,
      machines,
      registry: this.#registry,
      newSessionName: () =>
        `$node-${this.#config.node}-${this.#header.incarnation}-${this.#ports.random.next()}-` +
        `${++this.#sessionsNamed}`,
      nowMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      submit: (submission) => this.#router.submit(submission),
      whenActive: (space, version, expiresMs, done) => {
        this.#activationWaiters.push({ space, version, expiresMs, done });
      },
      after: (ms, run) => void this.#timers.push({ atMs: this.#now() + ms, run }),
    };
  }

  #runMachine(machine: Machine | undefined, call: Call, draft: Draft): Outcome {
    if (machine !== undefined) return this.#ports.machines.run(machine, call, draft);
    try {
      return runSystemMachine(call, draft);
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      return { kind: 'failed', code: thrown.code, message: thrown.message, fuel: 0, logs: [] };
    }
  }

  // What groups are given.

  #groupHost(write: GroupHost['write']): GroupHost {
    const { clock, disk, random, log } = this.#ports;
    return {
      config: this.#config,
      limits: this.#config.limits,
      disk,
      log,
      header: this.#header,
      counters: this.#counters,
      touched: this.#touched,
      nowMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      random: () => random.next(),
      run: (task, finished) => this.#run(task, finished),
      write,
      dirty: (group) => this.#makeDirty(group),
      send: (group, message) => this.#links.sendRaft(group, message),
      sendBulk: (to, frame) => this.#links.sendBulk(to, frame),
      latestVersions: () => this.#latest,
      machine: (space, version, ready) => this.#machine(space, version, ready),
      runMachine: (machine, call, draft) => this.#runMachine(machine, call, draft),
      reroute: (submission) => this.#router.reroute(submission),
      activated: () => this.#settleActivations(this.#now()),
      documentChanged: (group, local) => this.#documentChanged(group, local),
      logCompacted: (group, entries) => this.#compactor.deleted(group, entries),
      installed: (group, before) => this.#installed(group, before),
    };
  }

  #machine(space: string, version: number, ready: () => void): Machine | undefined {
    const machine = this.#registry.machine(space, version);
    if (machine === undefined) this.#registry.whenReady(space, version, ready);
    return machine;
  }

  #documentChanged(group: Group, local: LocalDocument): void {
    this.#watches.changed(local);
    this.#reads.changed(local);
    const isMachines = group.id === SYSTEM_GROUP && local.key === MACHINES_KEY;
    if (isMachines && local.document !== undefined) this.#machinesChanged(local);
  }

  #installed(group: Group, before: readonly LocalDocument[]): void {
    if (group.id === SYSTEM_GROUP) this.#pinMachines();
    this.#watches.replaced(before, group.documents);
    this.#removeOtherGenerations(group.id, group.documents.generation);
  }

  #removeOtherGenerations(group: number, inUse: number): void {
    const write: GroupHost['write'] = (operations, done) => this.#writer.add(operations, done);
    this.#run(removeOtherGenerations(this.#ports.disk, group, inUse, write), () => {});
  }

  /** Runs a task in turns. What it throws is a defect or damage: this node must not go on. */
  #run<T>(task: Task<T>, finished: (value: T) => void): void {
    const inTurn = (step: () => void): void => this.#loop.enqueue(step);
    runTask(task, inTurn, finished, (thrown) => {
      throw thrown;
    });
  }

  #now(): number {
    return this.#ports.clock.monotonicMs();
  }
}

function problemOf(check: () => void): Failure | undefined {
  try {
    check();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return failureOf(thrown);
  }
}
