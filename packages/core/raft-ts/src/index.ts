// raft-ts: Raft as a pure, synchronous state machine without dependencies. See README.md.

export { RaftAssertionError } from './assert.js';
export {
  changeConf,
  checkConfState,
  enterJoint,
  isJoint,
  leaveJoint,
  nodesOf,
  simpleChange,
} from './changer.js';
export {
  type ConfChange,
  decodeConfChange,
  encodeConfChange,
  LEAVE_JOINT,
  type NodeChange,
  type Transition,
} from './conf-change.js';
export type { Config } from './config.js';
export { isRaftError, RaftError, type RaftErrorCode } from './errors.js';
export { MemoryStorage } from './memory-storage.js';
export type {
  AppendMessage,
  AppendResponseMessage,
  DurableMessage,
  HeartbeatMessage,
  HeartbeatResponseMessage,
  KnownCommit,
  Message,
  ProposedEntry,
  ProposeMessage,
  ReadIndexMessage,
  ReadIndexResponseMessage,
  SnapshotMessage,
  TimeoutNowMessage,
  TransferLeaderMessage,
  VoteMessage,
  VoteResponseMessage,
} from './message.js';
export type { ProgressState } from './progress.js';
export {
  jointIndex,
  jointVote,
  majority,
  majorityIndex,
  majorityVote,
  type VoteResult,
  type Voters,
} from './quorum.js';
export { RawNode } from './raw-node.js';
export type { AppendWork, ApplyWork, Ready } from './ready.js';
export type { BasicStatus, PeerStatus, Status } from './status.js';
export type { Storage } from './storage.js';
export {
  type ConfState,
  EMPTY_HARD_STATE,
  type Entry,
  type EntryId,
  type EntryType,
  entriesBytes,
  entryBytes,
  type HardState,
  isNodeId,
  limitEntries,
  NONE,
  type NodeId,
  type ReadState,
  type Role,
  type Snapshot,
  type SoftState,
  votersOnly,
} from './types.js';
