// One frame is all that a node tells another in a turn. It opens with who speaks: the cluster, and the
// sender's incarnation, so that a node of another cluster, or one that lost its disk and came back under its
// old id, is not listened to (RAFT.md pitfall 7). msgpack; docs/wire-formats.md describes it.

import { DeltabaseError, pack, unpack } from '@deltabase/base';
import type { ConfState } from 'raft-ts';
import { decodeConfState, encodeConfState } from '../storage/rows.js';

/** Who a frame is from. */
export interface FrameHeader {
  readonly cluster: string;
  readonly incarnation: number;
}

/** What nodes tell each other beside Raft's messages. Each kind is a list of fixed order in the frame. */
export interface FrameParts {
  /** Raft messages, as raft-codec.ts makes them. */
  raft: unknown[][];
  /** Messages passed on to the leader of their group, and the answers to them. */
  forwards: unknown[][];
  answers: unknown[][];
}

/** A frame with its header checked for form. */
export interface Frame extends FrameHeader, FrameParts {}

const FRAME_VERSION = 1;

export function emptyParts(): FrameParts {
  return { raft: [], forwards: [], answers: [] };
}

export function encodeFrame(header: FrameHeader, parts: FrameParts): Uint8Array {
  const { cluster, incarnation } = header;
  return pack([FRAME_VERSION, cluster, incarnation, parts.raft, parts.forwards, parts.answers]);
}

/** The frame in `bytes`. Throws DATA_CORRUPT if it is not one of a version known here. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const f = unpack(bytes);
  if (!Array.isArray(f) || f[0] !== FRAME_VERSION || f.length !== 6) throw unknownFrame();
  return { cluster: f[1], incarnation: f[2], raft: f[3], forwards: f[4], answers: f[5] };
}

/** A receiver asks for the next rows of a snapshot, or a sender gives them. Frames of the bulk lane. */
export type BulkFrame = FrameHeader &
  (
    | {
        readonly kind: 'pull';
        readonly group: number;
        /** Chosen by the receiver; one for each attempt. */
        readonly transfer: number;
        /** The last row it has; empty at the beginning. */
        readonly after: Uint8Array;
      }
    | {
        readonly kind: 'chunk';
        readonly group: number;
        readonly transfer: number;
        readonly after: Uint8Array;
        /** Rows as [suffix, value, suffix, value, ...]. */
        readonly rows: readonly Uint8Array[];
        /** With the last chunk: where the rows stand. */
        readonly end: SnapshotEnd | undefined;
      }
  );

/** The position of a group's rows, and what else of the group row a receiver needs. */
export interface SnapshotEnd {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  readonly time: number;
  readonly active: readonly (readonly [space: string, version: number])[];
}

const KIND_PULL = 1;
const KIND_CHUNK = 2;

export function encodeBulkFrame(frame: BulkFrame): Uint8Array {
  const { cluster, incarnation, group, transfer, after } = frame;
  const head = [FRAME_VERSION, cluster, incarnation];
  if (frame.kind === 'pull') return pack([...head, KIND_PULL, group, transfer, after]);
  const { rows, end } = frame;
  const position = end && [
    end.index,
    end.term,
    encodeConfState(end.confState),
    end.time,
    end.active,
  ];
  return pack([...head, KIND_CHUNK, group, transfer, after, rows, position ?? null]);
}

export function decodeBulkFrame(bytes: Uint8Array): BulkFrame {
  const f = unpack(bytes);
  if (!Array.isArray(f) || f[0] !== FRAME_VERSION) throw unknownFrame();
  const [, cluster, incarnation, kind, group, transfer, after, rows, end] = f;
  const head = { cluster, incarnation };
  if (kind === KIND_PULL) return { ...head, kind: 'pull', group, transfer, after };
  if (kind !== KIND_CHUNK) throw unknownFrame();
  return { ...head, kind: 'chunk', group, transfer, after, rows, end: decodeEnd(end) };
}

// biome-ignore lint/suspicious/noExplicitAny: a list of mixed fields, by position.
function decodeEnd(f: any[] | null): SnapshotEnd | undefined {
  if (f === null) return undefined;
  return { index: f[0], term: f[1], confState: decodeConfState(f[2]), time: f[3], active: f[4] };
}

function unknownFrame(): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    'a peer sent a frame of an unknown version or form: run the same release on all nodes',
  );
}
