// What a simulated process, be it a node or a replica, offers those who follow documents there: what the server's
// services are made of.

import type { Limits } from '@deltabase/base';
import type {
  DeltasRange,
  DocumentName,
  DocumentStreams,
  Failure,
  OriginFeed,
  ReplicaRegistry,
  TailDelta,
} from '@deltabase/engine';

/** One life of a process. */
export interface ServedProcess {
  readonly streams: DocumentStreams;
  readonly registry: ReplicaRegistry;
  readonly origin: OriginFeed;
  readonly limits: Pick<
    Limits,
    'watchQueueBytesMax' | 'watchQueuesBytesMax' | 'watchesPerStreamMax' | 'requestTimeoutMsMax'
  >;
  /** Where clients reach the nodes of the cluster, host:port; none, if this is no node. */
  nodes(): readonly string[];
  /** Its monotonic clock, ms. */
  nowMs(): number;
  /** Runs something in it: later if it stands still, not at all if it has ended. */
  enter(run: () => void): void;
  /** Deltas of a document's history; `done` is called in it, or never. */
  readDeltas(
    name: DocumentName,
    range: DeltasRange,
    done: (deltas: readonly TailDelta[] | Failure) => void,
  ): void;
}
