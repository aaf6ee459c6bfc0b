// WatchManyResponse of documents.proto, read by hand: of each delta the bytes are kept in which its watchers get it,
// so that a replica passes on what it got and encodes nothing again.

import {
  bytes,
  DeltabaseError,
  embedded,
  embeddeds,
  flag,
  isErrorCode,
  LENGTH_DELIMITED,
  messageReader,
  text,
  texts,
  uint,
  uints,
  VARINT,
  WireReader,
} from '@deltabase/base';
import { type Failure, failure, type TailDelta, type UpstreamListener } from '@deltabase/engine';
import type { DeltaRecord } from '@deltabase/machine';

/** What a response tells, in its order. */
type WatchManyEvents = Omit<UpstreamListener, 'closed'>;

/** Returns what of it is taken off what was granted, bytes. Throws INVALID_ARGUMENT for bytes that are no such response. */
export function decodeWatchMany(bytes: Uint8Array, events: WatchManyEvents): number {
  const reader = new WireReader(bytes);
  let watched = 0;
  while (!reader.isAtEnd) {
    const start = reader.at;
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) {
      tellWatched(reader.message(), events);
      watched += reader.at - start;
    } else if (tag === lengthDelimited(2)) tellEnded(reader.message(), events);
    else if (tag === lengthDelimited(3)) tellHeads(reader.message(), events);
    else if (tag === lengthDelimited(4)) tellOrigin(reader.message(), events);
    else reader.skip(tag);
  }
  return watched;
}

/** `ListDeltasResponse`. Throws INVALID_ARGUMENT for bytes that are none. */
export function decodeListedDeltas(bytes: Uint8Array): TailDelta[] {
  return readListedDeltas(new WireReader(bytes)).deltas;
}

type Event =
  | { readonly kind: 'delta'; readonly delta: TailDelta }
  | {
      readonly kind: 'state';
      readonly seq: number;
      readonly piece: Uint8Array;
      readonly hash: string | undefined;
    };

const readErrorFields = messageReader({ code: text(1), message: text(2) });

/** A `deltabase.v1.Error`; a code of a newer release is taken for one after which to ask elsewhere. */
export function readError(reader: WireReader): Failure {
  const { code, message } = readErrorFields(reader);
  return isErrorCode(code) ? failure(code, message) : failure('UNAVAILABLE', `${code}: ${message}`);
}

const readCause = messageReader({
  channel: text(1),
  payload: bytes(2),
  principal: text(3),
  messageId: text(4),
  version: uint(5),
  fuel: uint(6),
  seed: uint(7),
});

const NO_CAUSE = readCause(new WireReader(new Uint8Array(0)));

const readDeltaFields = messageReader({
  seq: uint(1),
  patch: bytes(2),
  hash: text(3),
  time: uint(4),
  cause: embedded(5, readCause, NO_CAUSE),
});

/** A delta as it is told to watchers: what else its record holds stays with the nodes. */
function readDelta(reader: WireReader): TailDelta {
  const start = reader.at;
  const delta = readDeltaFields(reader);
  const { seq } = delta;
  return { seq, bytes: reader.since(start), record: recordOf(delta), encoded: undefined };
}

function recordOf({ cause, ...delta }: ReturnType<typeof readDeltaFields>): DeltaRecord {
  const { channel, payload, principal, messageId, version, fuel, seed } = cause;
  const { seq, patch, hash, time } = delta;
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

const readStateFields = messageReader({
  seq: uint(1),
  piece: bytes(2),
  isLast: flag(3),
  hash: text(4),
});

function readState(reader: WireReader): Event {
  const { seq, piece, isLast, hash } = readStateFields(reader);
  return { kind: 'state', seq, piece, hash: isLast ? hash : undefined };
}

const readEventFields = messageReader({
  state: embedded(1, readState, undefined),
  delta: embedded(2, readDelta, undefined),
});

function readEvent(reader: WireReader): Event {
  const { state, delta } = readEventFields(reader);
  if (delta !== undefined) return { kind: 'delta', delta };
  if (state !== undefined) return state;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    'an upstream sent an event of a kind that is not known',
  );
}

const readListedDeltas = messageReader({ deltas: embeddeds(1, readDelta) });

/** By hand, since of a delta the bytes of its whole field are kept. The ids come behind the events (documents.proto). */
function tellWatched(reader: WireReader, events: WatchManyEvents): void {
  const read: Event[] = [];
  const ids: number[] = [];
  while (!reader.isAtEnd) {
    const start = reader.at;
    const tag = reader.tag();
    if (tag === lengthDelimited(1)) {
      const event = readEvent(reader.message());
      if (event.kind === 'delta') event.delta.encoded = asBuffer(reader.since(start));
      read.push(event);
    } else if (tag === lengthDelimited(2)) {
      const packed = reader.message();
      while (!packed.isAtEnd) ids.push(packed.varint());
    } else if (tag === varint(2)) ids.push(reader.varint());
    else reader.skip(tag);
  }
  for (const id of ids) {
    for (const event of read) {
      if (event.kind === 'delta') events.delta(id, event.delta);
      else events.state(id, event.seq, event.piece, event.hash);
    }
  }
}

const readEnded = messageReader({ id: uint(1), why: embedded(2, readError, undefined) });

function tellEnded(reader: WireReader, events: WatchManyEvents): void {
  const { id, why } = readEnded(reader);
  events.ended(id, why ?? unknownFailure());
}

function unknownFailure(): Failure {
  return failure('UNAVAILABLE', 'the upstream ended a watch and did not say why');
}

const readHeads = messageReader({
  number: uint(1),
  seqs: uints(2),
  why: embedded(3, readError, undefined),
  unknown: uints(4),
});

function tellHeads(reader: WireReader, events: WatchManyEvents): void {
  const { number, seqs, why, unknown } = readHeads(reader);
  const heads: Array<number | undefined> = seqs;
  for (const at of unknown) if (at < heads.length) heads[at] = undefined;
  events.heads(number, why ?? heads);
}

const readOrigin = messageReader({ via: texts(1), live: flag(2) });

function tellOrigin(reader: WireReader, events: WatchManyEvents): void {
  const { via, live } = readOrigin(reader);
  events.origin(via, live);
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
