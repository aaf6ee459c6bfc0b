// The engine's whole view of the world: five ports and a log. Drivers implement them on real technology,
// the testkit implements them on a simulated one; the engine cannot tell which. Nothing here returns a
// promise: a port reports by calling back, at a moment of its own choosing but never from inside the call
// that asked, so that one seed fixes the order of everything in a simulation.

import type { ErrorCode } from '@deltabase/base';
import type { Draft, Value } from '@deltabase/delta';
import type { Manifest } from '@deltabase/machine';

/** Everything an engine needs from outside. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly network: Network;
  readonly machines: MachineHost;
  readonly log: Log;
}

/** Time. */
export interface Clock {
  /** Milliseconds of a monotonic clock; for durations only. */
  monotonicMs(): number;
  /** Milliseconds since 1970-01-01 UTC by the wall clock; may jump. */
  wallMs(): number;
  /** Calls `run` once, after what is already waiting in this process has been handled. */
  soon(run: () => void): void;
  /** Calls `run` once, `delayMs` from now or a little later. */
  after(delayMs: number, run: () => void): void;
  /** Calls `run` every `intervalMs`; returns how to stop it. */
  every(intervalMs: number, run: () => void): () => void;
}

/** Randomness; seeded in a simulation. */
export interface Random {
  /** 32 random bits as an unsigned number. */
  next(): number;
}

/** One operation of a batch. Keys order by bytes, as in `memcmp`. */
export type DiskOperation =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'del'; readonly key: Uint8Array };

/** A stored record. */
export interface DiskRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Which rows: `[start, end)` in key order, or from the end with `reverse`. Stops at either maximum. */
export interface DiskRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly reverse?: boolean;
  readonly rowsMax?: number;
  readonly bytesMax?: number;
}

/** Reading, from the live database or from a frozen view of it. Every row's checksum is verified. */
export interface DiskReader {
  get(key: Uint8Array, done: (value: Uint8Array | undefined) => void): void;
  /** Fewer rows than the maxima allow means that the range is exhausted; `more` says so directly. */
  range(range: DiskRange, done: (rows: readonly DiskRow[], more: boolean) => void): void;
}

/**
 * Durable storage of one node: an ordered map with atomic, always-synced batches. A driver never reports
 * a failed write or a corrupt row to its caller: it calls the fatal handler it was made with, once, and
 * from then on completes nothing (docs/leveldb.md: a database that failed once may lose what it
 * acknowledges later).
 */
export interface Disk extends DiskReader {
  /** Applies all of `batch` or nothing; `done` once it is on stable storage. At most one write at a time. */
  write(batch: readonly DiskOperation[], done: () => void): void;
  /** A synchronous read, for the rare log entry that memory no longer holds. */
  getSync(key: Uint8Array): Uint8Array | undefined;
  /** A consistent view of this moment; must be closed. */
  freeze(): DiskReader & { close(): void };
  /** Gives the space of deleted rows in `[start, end)` back, in the background. */
  compact(start: Uint8Array, end: Uint8Array, done: () => void): void;
  /** Bytes left on the file system and bytes the database occupies, as last measured. */
  space(): { readonly freeBytes: number; readonly usedBytes: number };
}

/** Another node: a small positive whole number, unique in the cluster for ever. */
export type NodeId = number;

/**
 * Frames to other nodes. Lossy and unordered across reconnects, ordered within one connection; frames may
 * be dropped whenever a peer cannot be reached or its queue is full. `bulk` frames (snapshot chunks) travel
 * apart and never delay the others.
 */
export interface Network {
  /** Where a peer is reached, host:port; another address moves it. Frames flow between nodes that know each other. */
  setPeer(peer: NodeId, address: string): void;
  /** Lets go of a peer, if it is one; the listener is not told that it cannot be reached any more. */
  removePeer(peer: NodeId): void;
  send(to: NodeId, lane: Lane, frame: Uint8Array): void;
  /** Bytes that wait for `to` on `lane`; the sender holds back bulk frames by it. */
  queuedBytes(to: NodeId, lane: Lane): number;
  /** Called once, before anything is sent. */
  listen(listener: NetworkListener): void;
}

export type Lane = 'urgent' | 'bulk';

export interface NetworkListener {
  /** `frame` belongs to the receiver from here on. */
  received(from: NodeId, lane: Lane, frame: Uint8Array): void;
  /** A connection to `peer` was made (`true`) or lost (`false`): a hint, never a proof. */
  reachable(peer: NodeId, is: boolean): void;
  /**
   * A node that is no peer here, or a peer that is not reached where it is said to be, calls, by its own word reached at
   * `address`. It calls again and again.
   */
  met(node: NodeId, address: string): void;
}

/** A deployed module, compiled and ready to run on this node. Opaque to the engine. */
export interface Machine {
  readonly manifest: Manifest;
}

/** What a handler is called with. */
export interface Call {
  /** Runs the export `init` first: the document has had no message yet. */
  readonly create: boolean;
  readonly space: string;
  readonly key: string;
  readonly channel: string;
  readonly principal: string;
  readonly messageId: string;
  /** The message's payload, parsed. */
  readonly payload: Value;
  /** Milliseconds since 1970, never earlier than the group's last delta. */
  readonly time: number;
  /** Seeds the guest's `random`. */
  readonly seed: number;
}

/** How a call ended. Whatever it is, no byte of the instance's memory survives it. */
export type Outcome =
  | {
      readonly kind: 'done';
      /** Canonical JSON; `undefined`: the handler gave no reply. */
      readonly reply: Uint8Array | undefined;
      readonly fuel: number;
      /** Lines for operators, each behind its level and a colon. */
      readonly logs: readonly string[];
    }
  | {
      /** The handler refused the message, or failed: code REJECTED or a fault of the errors table. */
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly fuel: number;
      readonly logs: readonly string[];
    };

/** Runs machines: validation, metering, compilation, execution. */
export interface MachineHost {
  /**
   * Validates `module`, meters and compiles it, and runs its start function once, under fuel. Reports the
   * machine, what is wrong with the module, or that there is no room for it now: the module may be good.
   */
  load(module: Uint8Array, done: (result: LoadResult) => void): void;
  /**
   * Runs one message to its end, synchronously, under the limits the host was made with. Reads go to
   * `draft`, emitted operations are applied to it at once. After a failed call the draft is worthless.
   */
  run(machine: Machine, call: Call, draft: Draft): Outcome;
  /** The content hash that names a module: its SHA-256, hexadecimal. */
  digest(module: Uint8Array): string;
  /** Gives back what `machine` holds. */
  unload(machine: Machine): void;
}

export type LoadResult =
  | { readonly kind: 'loaded'; readonly machine: Machine }
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'busy'; readonly message: string };

/** Structured log lines for operators; never part of the logic. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** What an event says, without what every line has already: a line of JSON that says it twice reads as nobody meant. */
export type LogFields = LogMembers & { readonly [Name in LineMember]?: never };

export type LogMembers = Readonly<Record<string, string | number | boolean>>;

/** Who writes, and what the writer adds. */
type LineMember = 'cluster' | 'node' | 'replica' | 'level' | 'time' | 'msg';
