// What a caller or a Storage may legitimately answer with. Everything else that is thrown is a defect.

/** A closed set of reasons; each is explained where it is thrown. */
export type RaftErrorCode =
  /** The entry was compacted into a snapshot. Storage. */
  | 'Compacted'
  /** The entry is not there, or not readable now: the core asks again later. Storage. */
  | 'Unavailable'
  /** There is no snapshot to give right now: the core asks again later. Storage. */
  | 'SnapshotTemporarilyUnavailable'
  /** A snapshot older than the present one was to be applied. MemoryStorage. */
  | 'SnapshotOutOfDate'
  /** The proposal was refused and is in no log: no leader, a transfer, a full log, a removed leader. */
  | 'ProposalDropped'
  /** A report names a node that is not in the configuration. */
  | 'PeerNotFound'
  /** A configuration change that cannot be applied to the present configuration. */
  | 'ConfChangeInvalid'
  /** A Config that cannot work. */
  | 'ConfigInvalid'
  /** What the storage holds contradicts itself: this replica must not run on it (pitfall 6). */
  | 'StorageInvalid';

/** The one class of expected errors. */
export class RaftError extends Error {
  override readonly name = 'RaftError';
  readonly code: RaftErrorCode;

  constructor(code: RaftErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Whether `thrown` is a RaftError with this code. */
export function isRaftError(thrown: unknown, code: RaftErrorCode): thrown is RaftError {
  return thrown instanceof RaftError && thrown.code === code;
}
