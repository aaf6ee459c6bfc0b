// What the suite of the Upstreams port runs on, and what a process at the other end is to serve while it does.

import type { Limits } from '@deltabase/base';
import type {
  DocumentStreams,
  Failure,
  OriginFeed,
  ReplicaRegistry,
  Upstreams,
} from '@deltabase/engine';
import type { DeltaRecord } from '@deltabase/machine';

/** What a process at the other end serves. */
export interface ServedScript {
  readonly streams: DocumentStreams;
  readonly registry: ReplicaRegistry;
  readonly origin: OriginFeed;
  readonly limits: Limits;
  /** Where clients reach the nodes of the cluster, host:port. */
  nodes(): readonly string[];
  /** A page of a document's history. */
  history(
    name: { readonly space: string; readonly key: string },
    fromSeq: number,
  ): readonly DeltaRecord[] | Failure;
}

/** Followers and processes to follow, and time that passes. */
export interface UpstreamsUnderTest {
  /** What a replica connects by; it grants `CREDIT_BYTES`. */
  readonly upstreams: Upstreams;
  /** Begins a process; returns its address. */
  serve(script: ServedScript): Promise<string>;
  /** Ends it, as the end of the process would. */
  stop(address: string): Promise<void>;
  /** An address where nobody is. */
  readonly nowhere: string;
  /** Lets time pass until `is` holds; throws if that takes too long. */
  until(is: () => boolean): Promise<void>;
  /** Ends everything. */
  close(): Promise<void>;
}

/** What may be on its way to a follower of this suite, bytes. */
export const CREDIT_BYTES = 64 * 1024;
