// A replica's view of the world: no disk and no peers, but upstreams: nodes of the cluster, or other replicas, from
// which deltas come. As everywhere in the engine, a port calls back, never from inside the call that asked.

import type { DocumentName } from '../documents/document-name.js';
import type { TailDelta } from '../documents/tail.js';
import type { Clock, Log, Random } from '../ports.js';
import type { Failure } from '../results.js';
import type { HeadSeqs } from '../streams/heads.js';

export interface ReplicaPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly upstreams: Upstreams;
  readonly log: Log;
}

/** Ways to processes that serve documents. */
export interface Upstreams {
  /** Offers this replica to the process at `address`. `listener` is called until it was told of the end. */
  attach(address: string, replica: ReplicaPlace, listener: AttachListener): AttachLink;
  /** Connects to the process at `address` (host:port). `listener` is called until it was told of the end. */
  connect(address: string, listener: UpstreamListener): Upstream;
}

/** One connection. What is asked for takes effect in its order. After `close` its listener is told nothing any more. */
export interface Upstream {
  /** Begins to watch every delta of a document: with its state, or behind a seq. `id` is new on this connection. */
  watch(id: number, name: DocumentName, afterSeq: number | undefined): void;
  /** Ends a watch. What was on its way may still come. */
  unwatch(id: number): void;
  /** Asks how far documents are, named by their watches. */
  askHeads(number: number, ids: readonly number[], timeoutMs: number): void;
  /** Asks for deltas of the document's history, from `fromSeq` on. `done` is called once, also if the connection has ended. */
  readDeltas(
    name: DocumentName,
    range: DeltasRange,
    done: (deltas: readonly TailDelta[] | Failure) => void,
  ): void;
  close(): void;
}

export interface DeltasRange {
  readonly fromSeq: number;
  /** About so many of them, one at least. */
  readonly bytesMax: number;
}

export interface UpstreamListener {
  /** Through which replicas it gets what it gives, itself first; whether there is a node at the end. First of all, and on change. */
  origin(via: readonly string[], live: boolean): void;
  /** Part of the state at `seq`; `hash` is set with the last part. */
  state(id: number, seq: number, piece: Uint8Array, hash: string | undefined): void;
  delta(id: number, delta: TailDelta): void;
  /** A watch has ended. */
  ended(id: number, why: Failure): void;
  /** The answer to a question: in the order of its ids. */
  heads(number: number, seqs: HeadSeqs | Failure): void;
  /** The connection has ended: nothing more comes of it. */
  closed(why: Failure): void;
}

/** A replica as others know it. */
export interface ReplicaPlace {
  /** Its name, which no other replica of the cluster has. */
  readonly name: string;
  /** Where clients reach it, host:port. */
  readonly address: string;
}

/** What a replica says of a document that it was told to keep. */
export interface CopyReport extends DocumentName {
  /** It may be read and watched there. */
  readonly ready: boolean;
  /** What is asked of it there, and of the replicas that it feeds. */
  readonly readsPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** A replica's offer to one process. After `close` nothing comes of it any more. */
export interface AttachLink {
  report(copies: readonly CopyReport[]): void;
  close(): void;
}

export interface AttachListener {
  /** It is to keep these documents, and no longer those. */
  ordered(hold: readonly DocumentName[], release: readonly DocumentName[]): void;
  /** Where clients reach the nodes of the cluster, host:port. */
  nodes(addresses: readonly string[]): void;
  /** The offer has ended: nothing more comes of it. */
  closed(why: Failure): void;
}
