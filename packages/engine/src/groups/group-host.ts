// What a group is given by its node: the means to write, send and run, and the listeners for what it does.

import type { Draft } from '@deltabase/delta';
import type { EngineConfig } from '../config.js';
import type { DocumentsHost } from '../documents/group-documents.js';
import type { LocalDocument } from '../documents/local-document.js';
import type { GroupHeartbeat, GroupHeartbeatResponse } from '../peers/beat-codec.js';
import type { FrameHeader } from '../peers/frame.js';
import type { NoticeMessage } from '../peers/notices.js';
import type { ListedMessage } from '../peers/raft-codec.js';
import type { Call, Disk, Log, Machine, NodeId, Outcome } from '../ports.js';
import type { AnswerSink, Submission } from '../results.js';
import type { KeyRange } from '../storage/keys.js';
import type { NoMachine } from '../system/machine-registry.js';
import type { Task } from '../task.js';
import type { Versions } from './activations.js';
import type { Group } from './group.js';
import type { MessageCounters } from './leadership.js';
import type { GroupMembers } from './reconfiguration.js';
import type { PeerView } from './sleep.js';

export interface GroupCounters extends MessageCounters {
  deltasApplied: number;
  logBytesWritten: number;
}

export interface GroupHost extends DocumentsHost {
  readonly config: EngineConfig;
  readonly disk: Disk;
  readonly log: Log;
  readonly header: FrameHeader;
  /** 32 bits drawn for this life of the node. */
  readonly life: number;
  readonly counters: GroupCounters;
  /** Sinks that got an answer in this turn. */
  readonly touched: Set<AnswerSink>;
  wallMs(): number;
  /** Whether the disk is so far behind that nothing should run that writes more. */
  isDiskBehind(): boolean;
  /** What is to be written need not wait for the end of the turn, unless other groups may have something to go along with it. */
  writeEarly(): void;
  /** 32 random bits. */
  random(): number;
  /** Runs a task in the node's turns; what it throws is fatal. */
  run<T>(task: Task<T>, finished: (value: T) => void): void;

  /** The group has something to do in this turn or the next. */
  dirty(group: Group): void;
  send(group: number, message: ListedMessage): void;
  /** Sends what may come a little later, or if it is only news, not at all. */
  sendLater(group: number, message: NoticeMessage): void;
  /** Whether entries may come to `peer` a little later, since `count` of those who are `asked` are sure to answer at once. */
  mayWait(peer: NodeId, asked: readonly NodeId[], count: number): boolean;
  /** The group is not led here, or not as it was: no answers will come. */
  leadershipEnded(group: number): void;
  /** Sends a heartbeat at once, or if it `waits`, with the next beat of this node. */
  sendHeartbeat(heartbeat: GroupHeartbeat, options: { readonly waits: boolean }): void;
  sendHeartbeatResponse(response: GroupHeartbeatResponse): void;
  sendBulk(to: NodeId, frame: Uint8Array): void;
  readonly peers: PeerView;
  /** Whether this node tells the others that it is not to be made a leader. */
  abstains(): boolean;
  /** This node's copy of a group has lost what it had acknowledged. */
  copyDamaged(): void;
  /** A group fell asleep, or woke: only what is awake gets ticks. */
  asleep(group: Group, is: boolean): void;

  /** This node has another role in the group, or knows of another leader. */
  roleChanged(group: Group): void;

  /** Who should lead a group by the word of an operator; `undefined`: nobody in particular. */
  wantedLeader(group: number): NodeId | undefined;
  readonly members: GroupMembers;
  /** The group has another configuration. */
  configured(group: Group): void;

  /** The latest versions that `group` should run, as this node knows them: another list for every change. */
  latestVersions(group: number): Versions;
  /** The compiled machine; `undefined`: not here yet, then `ready` is called in a later turn. */
  machine(space: string, version: number, ready: () => void): Machine | NoMachine | undefined;
  runMachine(machine: Machine | undefined, call: Call, draft: Draft): Outcome;

  /** A message that this node can no longer execute: to whoever leads now. */
  reroute(submission: Submission): void;
  /** A version of a space's machine became active in a group. */
  activated(): void;
  /** Something was applied to a document that is watched. */
  documentChanged(group: Group, local: LocalDocument): void;
  /** Entries of so many bytes were removed from the disk. */
  logCompacted(bytes: number): void;
  /** The group's documents were replaced by those of a snapshot; `before` is what was in memory. */
  installed(group: Group, before: readonly LocalDocument[]): void;
  /** Nobody reads rows in `range` any more, nor writes there. */
  unused(range: KeyRange): void;
}
