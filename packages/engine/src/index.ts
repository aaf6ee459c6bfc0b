// @deltabase/engine: groups, documents, streams and placement of one node, over ports.

export {
  checkConfig,
  DEFAULT_GROUPS,
  DEFAULT_TIMING,
  type EngineConfig,
  type Timing,
} from './config.js';
export { type DocumentName, documentId } from './documents/document-name.js';
export { recordOf, type TailDelta } from './documents/tail.js';
export { type Engine, startEngine } from './engine.js';
export type {
  Attached,
  CopyDirectory,
  OrdersSink,
  ReplicaRegistry,
} from './heat/attached-replicas.js';
export type { HotDocument } from './heat/read-load.js';
export { expulsionText, type JoinTicket, type Member, type Recovery } from './members/member.js';
export type {
  MembersOrder,
  MembersRequest,
  MembersResult,
  TransferRequest,
  TransferResult,
} from './members/member-changes.js';
export type { ChangeReport, MembersReport } from './members/members.js';
export type { ChangeKind, ChangePhase, MemberRole } from './members/members-state.js';
export { type GroupMessage, raftMessagesOf } from './peers/raft-messages.js';
export type {
  Call,
  Clock,
  Disk,
  DiskOperation,
  DiskRange,
  DiskReader,
  DiskRow,
  Lane,
  LoadResult,
  Log,
  LogFields,
  LogMembers,
  Machine,
  MachineHost,
  Network,
  NetworkListener,
  NodeId,
  Outcome,
  Ports,
  Random,
} from './ports.js';
export { applyRecovery, type RecoveryOptions } from './recover/apply.js';
export { checkGivenUp, type GroupPlan, planRecovery, type RecoveryPlan } from './recover/plan.js';
export { readSurvivor, type SurvivingGroup, type Survivor } from './recover/survivor.js';
export { Replica, type ReplicaConfig, type ReplicaStatus } from './replica/replica.js';
export type {
  AttachLink,
  AttachListener,
  CopyReport,
  DeltasRange,
  ReplicaPlace,
  ReplicaPorts,
  Upstream,
  UpstreamListener,
  Upstreams,
} from './replica/replica-ports.js';
export {
  type Acceptance,
  type AnswerSink,
  errorOf,
  type Failure,
  failure,
  failureOf,
  type Result,
  type Submission,
} from './results.js';
export type { EngineCounters, EngineStatus, GroupPosition, GroupStatus } from './status.js';
export { describeEntry, type EntryDescription } from './storage/describe-entry.js';
export {
  inspectHistory,
  inspectLog,
  inspectNode,
  type StoredDelta,
  type StoredEntry,
  type StoredGroup,
  type StoredNode,
} from './storage/inspect.js';
export { type RaftRow, readRaftRow } from './storage/raft-row.js';
export { readNodeRow } from './storage/recovery.js';
export type { NodeRow, RecoveryRow } from './storage/rows.js';
export type { ComposedDelta } from './streams/composed-delta.js';
export type { DocumentStreams } from './streams/document-streams.js';
export type { ProgressMark } from './streams/document-views.js';
export type { HeadSeqs, HeadsRequest, HeadsResult } from './streams/heads.js';
export type { HistoryPage } from './streams/history.js';
export {
  ManyWatches,
  type ManyWatchesOptions,
  type ManyWatchesSink,
} from './streams/many-watches.js';
export { NODE_ORIGIN, type Origin, type OriginFeed } from './streams/origin.js';
export type { OpenRead, ReadMode, ReadRequest, ReadResult, ReadValue } from './streams/reads.js';
export type { WatchPolicy } from './streams/watch-policy.js';
export type { Watch, WatchSink } from './streams/watcher.js';
export type { WatchRequest } from './streams/watches.js';
export type { DeployRequest, DeployResult } from './system/deployment.js';
export type { MachineVersion } from './system/machine-registry.js';
export { runTask, type Task } from './task.js';
export type { Usage } from './usage.js';
