// The engine of one node, as the rest of the process sees it. Every call only enqueues; what it asks for is
// done in the turns of parts.ts. It meets the world only through its ports; the same code runs in production
// and under the simulator.

import { DeltabaseError } from '@deltabase/base';
import type { Entry } from 'raft-ts';
import { countProblem, nameProblem } from './check-message.js';
import { checkConfig, type EngineConfig } from './config.js';
import type { DocumentName } from './documents/document-name.js';
import type { Attached, CopyDirectory, OrdersSink } from './heat/attached-replicas.js';
import type { HotDocument } from './heat/read-load.js';
import { expulsionText, type Member } from './members/member.js';
import type {
  MembersRequest,
  MembersResult,
  TransferRequest,
  TransferResult,
} from './members/member-changes.js';
import type { MembersReport } from './members/members.js';
import { OpenRequests } from './open-requests.js';
import { EngineParts } from './parts.js';
import type { NodeId, Ports } from './ports.js';
import type { ReplicaPlace } from './replica/replica-ports.js';
import { type Failure, failure, type Submission } from './results.js';
import { type EngineStatus, type GroupPosition, statusOf } from './status.js';
import { formatNode, type RecoveredNode, recoverNode } from './storage/recovery.js';
import { beginInTurn, watchInTurn } from './streams/begin-in-turn.js';
import { absence } from './streams/document-source.js';
import type { DocumentStreams } from './streams/document-streams.js';
import type { HeadsRequest, HeadsResult } from './streams/heads.js';
import { type HistoryPage, readHistory } from './streams/history.js';
import type { OpenRead, ReadRequest, ReadResult } from './streams/reads.js';
import type { Watch, WatchSink } from './streams/watcher.js';
import type { WatchRequest } from './streams/watches.js';
import type { DeployRequest, DeployResult } from './system/deployment.js';
import type { MachineRegistry } from './system/machine-registry.js';
import { runTask } from './task.js';
import { type Usage, usageOf } from './usage.js';

/**
 * Starts the engine on what is on its disk, or formats an empty one. Calls `started` once it runs; throws
 * INVALID_ARGUMENT for a configuration that cannot work, and what recovery finds wrong (NODE_MISMATCH,
 * NODE_REMOVED, DATA_CORRUPT) comes as an error in place of the engine. Calls `expelled`, once, when the cluster has
 * made this node one that is no more of it: the engine has stopped then, and its process is to end.
 */
export function startEngine(
  ports: Ports,
  config: EngineConfig,
  started: (engine: Engine | DeltabaseError) => void,
  expelled: (why: DeltabaseError) => void = () => {},
): void {
  checkConfig(config);
  const soon = (step: () => void): void => ports.clock.soon(step);
  const run = (node: RecoveredNode): void => started(new Engine(ports, config, node, expelled));
  const finished = (found: RecoveredNode | undefined): void => {
    if (found !== undefined) {
      run(found);
      return;
    }
    const { operations, node } = formatNode(config, ports.random);
    ports.disk.write(operations, () => soon(() => run(node)));
  };
  runTask(recoverNode(ports.disk, config), soon, finished, (thrown) => {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    started(thrown);
  });
}

/** Bytes of entries that `readLog` gives, about. */
const LOG_PAGE_BYTES = 2 ** 20;

export class Engine implements DocumentStreams, CopyDirectory {
  readonly #ports: Ports;
  readonly #config: EngineConfig;
  readonly #parts: EngineParts;
  readonly #startedMs: number;
  readonly #incarnation: number;
  /** Histories and modules that were asked for. */
  readonly #open = new OpenRequests();
  #stopped = false;

  /** Use `startEngine`. */
  constructor(
    ports: Ports,
    config: EngineConfig,
    recovered: RecoveredNode,
    expelled: (why: DeltabaseError) => void,
  ) {
    this.#ports = ports;
    this.#config = config;
    this.#startedMs = ports.clock.monotonicMs();
    this.#incarnation = recovered.row.incarnation;
    this.#parts = new EngineParts(ports, config, recovered, (expulsion) => {
      const message = expulsionText(config.node, expulsion);
      this.#stop(failure('UNAVAILABLE', `node ${config.node} is not one of the cluster any more`));
      expelled(new DeltabaseError('NODE_REMOVED', message));
    });
  }

  get config(): EngineConfig {
    return this.#config;
  }

  /** Who leads the group of a document, as far as this node knows; 0: unknown. */
  leaderOf(space: string, key: string): NodeId {
    return this.#parts.router.groupOf(space, key).lead;
  }

  /** Who leads each group, by the group's number, as far as this node knows; 0: unknown. */
  leaders(): NodeId[] {
    return this.#parts.groups.map((group) => group.lead);
  }

  /** Has `listener` called in a turn with each group that has another leader from then on; 0: unknown. */
  followLeaders(listener: (group: number, leader: NodeId) => void): void {
    this.#parts.leaderListener = listener;
  }

  /** Takes messages; each is checked, and each sink gets its answers in later turns, or when this node stops. */
  submit(submissions: readonly Submission[]): void {
    const { loop, router } = this.#parts;
    loop.enqueue(
      () => {
        for (const submission of submissions) router.submit(submission);
      },
      () => refuseAll(submissions),
    );
  }

  read(request: ReadRequest, answer: (result: ReadResult) => void): OpenRead {
    const { loop, reads } = this.#parts;
    const { space, key } = request;
    return beginInTurn(loop, answer, {
      begin: () =>
        nameProblem(space, key, this.#config.limits) ??
        reads.begin(this.#parts.documentOf(request), request, answer),
      stopping,
    });
  }

  watch(request: WatchRequest, sink: WatchSink): Watch {
    const { loop, watches } = this.#parts;
    const { space, key } = request;
    return watchInTurn(loop, sink, {
      begin: () =>
        nameProblem(space, key, this.#config.limits) ??
        watches.begin(this.#parts.documentOf(request), request, sink),
      stopping,
    });
  }

  heads(request: HeadsRequest, answer: (result: HeadsResult | Failure) => void): void {
    const { loop, heads } = this.#parts;
    loop.enqueue(
      () => heads.ask(request, answer),
      () => answer(stopping()),
    );
  }

  attach(place: ReplicaPlace, sink: OrdersSink): Attached {
    return this.#parts.readLoad.replicas.attach(place, sink);
  }

  copiesOf(document: DocumentName): readonly string[] {
    return this.#parts.readLoad.copiesOf(document);
  }

  followCopies(listener: (document: DocumentName) => void): () => void {
    return this.#parts.readLoad.followCopies(listener);
  }

  /** Reads a page of a document's history, from `fromSeq` (at least 1) on. Fails with DOCUMENT_NOT_FOUND if it has none. */
  history(
    request: { readonly space: string; readonly key: string; readonly fromSeq: number },
    answer: (page: HistoryPage | Failure) => void,
  ): void {
    const { space, key, fromSeq } = request;
    const { limits } = this.#config;
    this.#parts.loop.enqueue(
      () => {
        const invalid = nameProblem(space, key, limits) ?? countProblem('fromSeq', fromSeq, 1);
        if (invalid !== undefined) answer(invalid);
        else if (this.#isFull) answer(tooMany());
        else this.#readHistory(space, key, fromSeq, answer);
      },
      () => answer(stopping()),
    );
  }

  /** Deploys a machine. */
  deploy(request: DeployRequest, answer: (result: DeployResult) => void): void {
    const { loop, deployments } = this.#parts;
    loop.enqueue(
      () => deployments.deploy(request, answer),
      () => answer(stopping()),
    );
  }

  /** The members of the cluster, as this node knows them. */
  members(): MembersReport {
    return this.#parts.members.report();
  }

  /** Where a node is, as last heard; `undefined`: it is not one of the cluster, or not known here. */
  placeOf(node: NodeId): Member | undefined {
    return this.#parts.members.placeOf(node);
  }

  /** Begins a change of the members; `members` tells how far it is. */
  changeMembers(request: MembersRequest, answer: (result: MembersResult) => void): void {
    const { loop, members } = this.#parts;
    loop.enqueue(
      () => members.changes.change(request, answer),
      () => answer(stopping()),
    );
  }

  /** Has a node lead a group, now and from now on while it can. */
  transfer(request: TransferRequest, answer: (result: TransferResult) => void): void {
    const { loop, members } = this.#parts;
    loop.enqueue(
      () => members.changes.transfer(request, answer),
      () => answer(stopping()),
    );
  }

  /** Where this node is reached: the others are told if they know it somewhere else. */
  announce(own: Member): void {
    this.#parts.members.steering.announce(own);
  }

  /** The machines there are, as this node knows them. */
  get registry(): MachineRegistry {
    return this.#parts.machines.registry;
  }

  /** A module's bytes; `undefined` if this node does not have them, or too many ask. */
  module(hash: string, answer: (module: Uint8Array | undefined) => void): void {
    const { loop, machines } = this.#parts;
    loop.enqueue(
      () => {
        if (this.#isFull) {
          answer(undefined);
          return;
        }
        const once = this.#open.add<Uint8Array | undefined>((module) =>
          answer(module instanceof Uint8Array ? module : undefined),
        );
        machines.module(hash, once);
      },
      () => answer(undefined),
    );
  }

  /**
   * Entries of a group's log that this node has on disk, from `fromIndex` on, about a megabyte of them; those up
   * to `committedIndex` are committed, at least.
   */
  readLog(
    group: number,
    fromIndex: number,
    answer: (entries: readonly Entry[], committedIndex: number) => void,
  ): void {
    this.#parts.loop.enqueue(
      () => {
        const found = this.#parts.groups[group];
        if (found === undefined) answer([], 0);
        else answer(found.readLog(fromIndex, Infinity, LOG_PAGE_BYTES), found.appliedIndex);
      },
      () => answer([], 0),
    );
  }

  /** Where each group stands here, by the group's number: cheap enough to be asked for after every turn. */
  positions(): GroupPosition[] {
    return this.#parts.groups.map((group) => group.position());
  }

  /** The groups that had a turn with the last one of this node, and where they stand. */
  turned(): Array<readonly [group: number, position: GroupPosition]> {
    return this.#parts.turned.map((group) => [group.id, group.position()]);
  }

  /** The documents with the most heat of this node, the hottest first, at most so many (docs/operations.md). */
  hottest(count: number): HotDocument[] {
    return this.#parts.readLoad.hottest(count);
  }

  /** How much of each limit of memory is used. */
  usage(): Usage[] {
    return usageOf(this.#parts, this.#open.count);
  }

  status(): EngineStatus {
    const uptimeMs = this.#ports.clock.monotonicMs() - this.#startedMs;
    const { cluster, node } = this.#config;
    const identity = { cluster, node, incarnation: this.#incarnation, uptimeMs };
    return statusOf(identity, this.#parts);
  }

  /**
   * Takes no more messages, reads and watches, hands every leadership to another node that can be reached, answers
   * what it took, and calls `done`; after some seconds it does so in any case.
   */
  drain(done: () => void): void {
    const { loop, router, reads, watches, upkeep } = this.#parts;
    loop.enqueue(() => {
      router.drain();
      reads.drain();
      watches.drain();
      upkeep.drain(done);
    }, done);
  }

  /** Stops at once and answers whatever is open with UNAVAILABLE; what is durable stays so. */
  stop(): void {
    this.#stop(stopping());
  }

  /** Whether too many requests wait for the disk. */
  get #isFull(): boolean {
    return this.#open.count >= this.#config.limits.readQueueMax;
  }

  #stop(why: Failure): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const { stopTicks, loop, groups, touched } = this.#parts;
    const {
      reads,
      watches,
      heads,
      readLoad,
      deployments,
      forwarding,
      snapshots,
      senders,
      members,
    } = this.#parts;
    stopTicks();
    loop.stop();
    this.#open.close(why);
    senders.close();
    members.changes.close(why);
    deployments.close(why);
    watches.close(why);
    reads.close(why);
    heads.close(why);
    readLoad.close(why);
    for (const group of groups) group.close(why);
    forwarding.close();
    snapshots.close();
    for (const sink of touched) sink.flush();
    touched.clear();
  }

  #readHistory(
    space: string,
    key: string,
    fromSeq: number,
    answer: (page: HistoryPage | Failure) => void,
  ): void {
    const { limits } = this.#config;
    const once = this.#open.add(answer);
    const group = this.#parts.router.groupOf(space, key);
    group.load(space, key, (local) => {
      if (local === undefined) return;
      if (local.seq === 0) once(absence(this.#parts.documentOf({ space, key })));
      else group.documents.read(readHistory(this.#parts.disk, local, fromSeq, limits), once);
    });
  }
}

function refuseAll(submissions: readonly Submission[]): void {
  for (const { sink, tag } of submissions) sink.answer(tag, stopping());
  for (const sink of new Set(submissions.map((submission) => submission.sink))) sink.flush();
}

function tooMany(): Failure {
  return failure('OVERLOADED', 'too many reads wait: read at another node, or slower');
}

function stopping(): Failure {
  return failure('UNAVAILABLE', 'this node stops: use another one');
}
