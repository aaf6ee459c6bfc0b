// WatchManyResponse of documents.proto, read by hand: of each delta the bytes are kept in which its watchers get it,
// so that a replica passes on what it got and encodes nothing again.

import { DeltabaseError, isErrorCode, LENGTH_DELIMITED, VARINT, WireReader } from '@deltabase/base';
import { type Failure, failure, type TailDelta } from '@deltabase/engine';
import type { DeltaRecord } from '@deltabase/machine';

/** What a response tells, in its order. */
export interface WatchManyEvents {
  origin(via: readonly string[], live: boolean): void;
  state(id: number, seq: number, piece: Uint8Array, hash: string | undefined): void;
  delta(id: number, delta: TailDelta): void;
  ended(id: number, why: Failure): void;
  heads(number: number, seqs: readonly number[] | Failure): void;
}

type Event =
  | { readonly kind: 'delta'; readonly delta: TailDelta }
  | {
      readonly kind: 'state';
      readonly seq: number;
      readonly piece: Uint8Array;
      readonly hash: string | undefined;
    };

const EMPTY = new Uint8Array(0);

/** Throws INVALID_ARGUMENT for bytes that are no such response. */
export function decodeWatchMany(bytes: Uint8Array, events: WatchManyEvents): void {
  const reader = new WireReader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) readWatched(reader.message(), events);
    else if (tag === lengthDelimited(2)) readEnded(reader.message(), events);
    else if (tag === lengthDelimited(3)) readHeads(reader.message(), events);
    else if (tag === lengthDelimited(4)) readOrigin(reader.message(), events);
    else reader.skip(tag);
  }
}

/** `ListDeltasResponse`. Throws INVALID_ARGUMENT for bytes that are none. */
export function decodeListedDeltas(bytes: Uint8Array): TailDelta[] {
  const reader = new WireReader(bytes);
  const deltas: TailDelta[] = [];
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) deltas.push(readDelta(reader.message()));
    else reader.skip(tag);
  }
  return deltas;
}

/** The id comes behind the events (documents.proto). */
function readWatched(reader: WireReader, events: WatchManyEvents): void {
  const read: Event[] = [];
  let id = 0;
  while (!reader.isAtEnd) {
    const start = reader.at;
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) {
      const event = readEvent(reader.message());
      if (event.kind === 'delta') event.delta.encoded = asBuffer(reader.since(start));
      read.push(event);
    } else if (tag === varint(2)) id = reader.varint();
    else reader.skip(tag);
  }
  for (const event of read) {
    if (event.kind === 'delta') events.delta(id, event.delta);
    else events.state(id, event.seq, event.piece, event.hash);
  }
}

function readEvent(reader: WireReader): Event {
  let event: Event | undefined;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) event = readState(reader.message());
    else if (tag === lengthDelimited(2))
      event = { kind: 'delta', delta: readDelta(reader.message()) };
    else reader.skip(tag);
  }
  if (event !== undefined) return event;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    'an upstream sent an event of a kind that is not known',
  );
}

function readState(reader: WireReader): Event {
  let seq = 0;
  let piece: Uint8Array = EMPTY;
  let isLast = false;
  let hash = '';
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === varint(1)) seq = reader.varint();
    else if (tag === lengthDelimited(2)) piece = reader.bytes();
    else if (tag === varint(3)) isLast = reader.varint() !== 0;
    else if (tag === lengthDelimited(4)) hash = reader.text();
    else reader.skip(tag);
  }
  return { kind: 'state', seq, piece, hash: isLast ? hash : undefined };
}

/** A delta as it is told to watchers: what else its record holds stays with the nodes. */
function readDelta(reader: WireReader): TailDelta {
  const start = reader.at;
  let seq = 0;
  let patch: Uint8Array = EMPTY;
  let hash = '';
  let time = 0;
  let cause: Cause = NO_CAUSE;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === varint(1)) seq = reader.varint();
    else if (tag === lengthDelimited(2)) patch = reader.bytes();
    else if (tag === lengthDelimited(3)) hash = reader.text();
    else if (tag === varint(4)) time = reader.varint();
    else if (tag === lengthDelimited(5)) cause = readCause(reader.message());
    else reader.skip(tag);
  }
  const record = recordOf(cause, seq, patch, hash, time);
  return { seq, bytes: reader.since(start), record, encoded: undefined };
}

interface Cause {
  readonly channel: string;
  readonly payload: Uint8Array;
  readonly principal: string;
  readonly messageId: string;
  readonly version: number;
  readonly fuel: number;
  readonly seed: number;
}

const NO_CAUSE: Cause = {
  channel: '',
  payload: EMPTY,
  principal: '',
  messageId: '',
  version: 0,
  fuel: 0,
  seed: 0,
};

function readCause(reader: WireReader): Cause {
  let channel = '';
  let payload: Uint8Array = EMPTY;
  let principal = '';
  let messageId = '';
  let version = 0;
  let fuel = 0;
  let seed = 0;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) channel = reader.text();
    else if (tag === lengthDelimited(2)) payload = reader.bytes();
    else if (tag === lengthDelimited(3)) principal = reader.text();
    else if (tag === lengthDelimited(4)) messageId = reader.text();
    else if (tag === varint(5)) version = reader.varint();
    else if (tag === varint(6)) fuel = reader.varint();
    else if (tag === varint(7)) seed = reader.varint();
    else reader.skip(tag);
  }
  return { channel, payload, principal, messageId, version, fuel, seed };
}

function recordOf(
  { channel, payload, principal, messageId, version, fuel, seed }: Cause,
  seq: number,
  patch: Uint8Array,
  hash: string,
  time: number,
): DeltaRecord {
  const slash = messageId.lastIndexOf('/');
  return {
    space: '',
    key: '',
    seq,
    session: slash < 0 ? '' : messageId.slice(0, slash),
    openedAt: 0,
    number: slash < 0 ? 0 : Number(messageId.slice(slash + 1)),
    settled: 0,
    principal,
    channel,
    payload,
    time,
    seed,
    version,
    patch,
    reply: undefined,
    effects: [],
    fuel,
    hash,
    snapshotAdvised: false,
  };
}

function readEnded(reader: WireReader, events: WatchManyEvents): void {
  let id = 0;
  let why = unknownFailure();
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === varint(1)) id = reader.varint();
    else if (tag === lengthDelimited(2)) why = readError(reader.message());
    else reader.skip(tag);
  }
  events.ended(id, why);
}

function readHeads(reader: WireReader, events: WatchManyEvents): void {
  let number = 0;
  const seqs: number[] = [];
  let why: Failure | undefined;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === varint(1)) number = reader.varint();
    else if (tag === varint(2)) seqs.push(reader.varint());
    else if (tag === lengthDelimited(2)) readPacked(reader.message(), seqs);
    else if (tag === lengthDelimited(3)) why = readError(reader.message());
    else reader.skip(tag);
  }
  events.heads(number, why ?? seqs);
}

function readPacked(reader: WireReader, values: number[]): void {
  while (!reader.isAtEnd) values.push(reader.varint());
}

function readOrigin(reader: WireReader, events: WatchManyEvents): void {
  const via: string[] = [];
  let live = false;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) via.push(reader.text());
    else if (tag === varint(2)) live = reader.varint() !== 0;
    else reader.skip(tag);
  }
  events.origin(via, live);
}

/** A `deltabase.v1.Error`; a code of a newer release is taken for one after which to ask elsewhere. */
export function readError(reader: WireReader): Failure {
  let code = '';
  let message = '';
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) code = reader.text();
    else if (tag === lengthDelimited(2)) message = reader.text();
    else reader.skip(tag);
  }
  return isErrorCode(code) ? failure(code, message) : failure('UNAVAILABLE', `${code}: ${message}`);
}

function unknownFailure(): Failure {
  return failure('UNAVAILABLE', 'the upstream ended a watch and did not say why');
}

/** What transports write; it shares the bytes. */
function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function varint(field: number): number {
  return (field << 3) | VARINT;
}

function lengthDelimited(field: number): number {
  return (field << 3) | LENGTH_DELIMITED;
}
