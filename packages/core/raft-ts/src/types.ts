// The plain data of Raft (Raft §5, Figure 2). Indices and terms are JavaScript numbers, exact up to 2^53;
// index 0 and term 0 stand before the first entry. Node id 0 means "none".

/** A replica: a positive whole number, never used again for another one. */
export type NodeId = number;

/** No node. */
export const NONE: NodeId = 0;

/** Whether `id` can name a node. */
export function isNodeId(id: number): boolean {
  return Number.isSafeInteger(id) && id > NONE;
}

/** What an entry's data means: to the host, or to Raft itself (an encoded ConfChange). */
export type EntryType = 'normal' | 'confChange';

/** One entry of the log. Normal entries without data are Raft's own and mean nothing to the host. */
export interface Entry {
  readonly term: number;
  readonly index: number;
  readonly type: EntryType;
  readonly data: Uint8Array;
}

/** The name of a log position: the entry at `index` was made in `term`. */
export interface EntryId {
  readonly term: number;
  readonly index: number;
}

/** What must be on stable storage before messages that tell of it leave (Raft Figure 2). */
export interface HardState {
  readonly term: number;
  readonly vote: NodeId;
  readonly commit: number;
}

/** What a replica was before it first ran. */
export const EMPTY_HARD_STATE: HardState = { term: 0, vote: NONE, commit: 0 };

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** Volatile state that the host may want to react to. */
export interface SoftState {
  readonly lead: NodeId;
  readonly role: Role;
}

/**
 * A configuration: who votes and who listens. Joint while `votersOutgoing` is not empty (Raft §6): then
 * decisions need a majority of both lists. All lists are sorted.
 */
export interface ConfState {
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Voters of the outgoing half that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** Whether the leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
}

/** A configuration of voters only. */
export function votersOnly(voters: readonly NodeId[]): ConfState {
  return {
    voters: [...voters].sort((a, b) => a - b),
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
}

/** The state machine's state after the entry `index`; `data` is the host's and may be a mere reference. */
export interface Snapshot {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  readonly data: Uint8Array;
}

/** The answer to a readIndex: reads that wait for `index` to be applied are linearizable (thesis §6.4). */
export interface ReadState {
  readonly index: number;
  readonly context: Uint8Array;
}

/** The bytes that an entry counts for in limits of messages and pages: its data and a fixed overhead. */
export function entryBytes(entry: Entry): number {
  return entry.data.length + ENTRY_OVERHEAD_BYTES;
}

const ENTRY_OVERHEAD_BYTES = 12;

/** The bytes of all of `entries`. */
export function entriesBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  return bytes;
}

/** As many of the first entries as `bytesMax` allows, but at least one if there is any. */
export function limitEntries(entries: readonly Entry[], bytesMax: number): readonly Entry[] {
  let bytes = 0;
  for (let count = 0; count < entries.length; count++) {
    bytes += entryBytes(entries[count]!);
    if (count > 0 && bytes > bytesMax) return entries.slice(0, count);
  }
  return entries;
}
