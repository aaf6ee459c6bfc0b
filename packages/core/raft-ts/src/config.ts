// What a replica is made with. Time is counted in ticks; sizes in bytes as `entryBytes` counts them, but for
// `uncommittedBytesMax`, which counts data alone. README.md has all of it in a table.

import { RaftError } from './errors.js';
import type { Storage } from './storage.js';
import { isNodeId, type NodeId } from './types.js';

export interface Config {
  readonly id: NodeId;
  readonly storage: Storage;
  /** The last index the host's state machine has applied; entries behind it are given again. Default 0. */
  readonly applied?: number;
  /** Ticks without a leader until an election; the actual number is drawn from [this, twice this). */
  readonly electionTicks: number;
  /** Ticks between heartbeats; below `electionTicks`. */
  readonly heartbeatTicks: number;
  /** A whole number, uniform in [0, bound): the only source of chance, for election timeouts. */
  readonly random: (bound: number) => number;
  /** Whether the host writes asynchronously (Ready.append, Ready.apply) or by `advance`. Default false. */
  readonly asyncStorageWrites?: boolean;
  /** Entries in one append message. At least one is always sent. Default 1 MiB. */
  readonly appendBytesMax?: number;
  /** Committed entries handed out and not yet applied. Default: appendBytesMax. */
  readonly applyingBytesMax?: number;
  /** Data of entries proposed and not yet applied; more is refused. Default unlimited. */
  readonly uncommittedBytesMax?: number;
  /** Unacknowledged append messages to one follower. Default 256. */
  readonly inflightMessagesMax?: number;
  /** Bytes of them. Default unlimited. */
  readonly inflightBytesMax?: number;
  /** A leader without a quorum steps down, and followers of a live leader refuse votes. Default true. */
  readonly checkQuorum?: boolean;
  /** Campaigns begin with a pre-vote (thesis §9.6). Default true. */
  readonly preVote?: boolean;
  /**
   * How reads are confirmed: `safe` by a round of heartbeats; `lease` without one while a quorum is bound to
   * this leader, which trusts that all nodes tick at the same rate, needs checkQuorum, must be the same on all
   * of them, and keeps a replica from voting for an election timeout after its start. Default `safe`.
   */
  readonly readOnly?: 'safe' | 'lease';
  /** Reads that wait for a round at the leader; more are dropped, as though they were lost. Default 65,536. */
  readonly pendingReadsMax?: number;
  /** A follower refuses proposals instead of passing them on. Default false. */
  readonly disableProposalForwarding?: boolean;
  /** The host checks configuration changes itself. Default false. */
  readonly disableConfChangeValidation?: boolean;
  /** A leader that is removed or demoted steps down at once. Default true. */
  readonly stepDownOnRemoval?: boolean;
  /** Told of every change of role and of what is unusual, one line each. Default: nobody. */
  readonly trace?: (line: string) => void;
}

/** A Config with every default filled in. */
export type FullConfig = Required<Config>;

const APPEND_BYTES = 1024 * 1024;
const INFLIGHT_MESSAGES = 256;
const PENDING_READS = 65_536;

/** Fills the defaults in. Throws RaftError ConfigInvalid. */
export function completeConfig(config: Config): FullConfig {
  const appendBytesMax = config.appendBytesMax ?? APPEND_BYTES;
  const full: FullConfig = {
    id: config.id,
    storage: config.storage,
    applied: config.applied ?? 0,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    random: config.random,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    appendBytesMax,
    applyingBytesMax: config.applyingBytesMax ?? appendBytesMax,
    uncommittedBytesMax: config.uncommittedBytesMax ?? Infinity,
    inflightMessagesMax: config.inflightMessagesMax ?? INFLIGHT_MESSAGES,
    inflightBytesMax: config.inflightBytesMax ?? Infinity,
    checkQuorum: config.checkQuorum ?? true,
    preVote: config.preVote ?? true,
    readOnly: config.readOnly ?? 'safe',
    pendingReadsMax: config.pendingReadsMax ?? PENDING_READS,
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? true,
    trace: config.trace ?? (() => {}),
  };
  checkConfig(full);
  return full;
}

function checkConfig(config: FullConfig): void {
  const { heartbeatTicks, electionTicks } = config;
  if (!isNodeId(config.id)) throw invalid('id must be a positive whole number');
  if (!(Number.isSafeInteger(heartbeatTicks) && heartbeatTicks >= 1)) {
    throw invalid('heartbeatTicks must be a positive whole number');
  }
  if (!(Number.isSafeInteger(electionTicks) && electionTicks > heartbeatTicks)) {
    throw invalid('electionTicks must be a whole number larger than heartbeatTicks');
  }
  for (const key of BOUNDS) {
    if (!(config[key] >= 1)) throw invalid(`${key} must be at least 1`);
  }
  if (config.readOnly === 'lease' && !config.checkQuorum) {
    throw invalid('lease reads need checkQuorum: nothing else bounds the lease');
  }
}

const BOUNDS = [
  'appendBytesMax',
  'applyingBytesMax',
  'uncommittedBytesMax',
  'inflightMessagesMax',
  'inflightBytesMax',
  'pendingReadsMax',
] as const;

function invalid(message: string): RaftError {
  return new RaftError('ConfigInvalid', message);
}
