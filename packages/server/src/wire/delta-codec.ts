// Delta, ComposedDelta, StatePiece, WatchProgress and WatchEvent of documents.proto, written by hand: a delta is written
// once and its bytes go to every watcher. Tests hold them against the proto.

import { type ComposedDelta, type ProgressMark, recordOf, type TailDelta } from '@deltabase/engine';
import { FRAME_HEADER_BYTES } from '@deltabase/grpc-connection';
import { type DeltaRecord, messageId } from '@deltabase/machine';
import { WatchEvent } from './watch-event.js';
import { WireWriter } from './writer.js';

const outer = new WireWriter();
const inner = new WireWriter();

/** `Delta`. */
function encodeDelta(record: DeltaRecord): Buffer {
  const cause = inner
    .text(1, record.channel)
    .bytes(2, record.payload)
    .text(3, record.principal)
    .text(4, messageId(record.session, record.number))
    .number(5, record.version)
    .number(6, record.fuel)
    .number(7, record.seed)
    .finish();
  return outer
    .number(1, record.seq)
    .bytes(2, record.patch)
    .text(3, record.hash)
    .number(4, record.time)
    .present(5, cause)
    .finish();
}

/** One element of `ListDeltasResponse.deltas`; a response is several of them, one behind the other. */
export function encodeListedDelta(record: DeltaRecord): Buffer {
  return outer.present(1, encodeDelta(record)).finish();
}

/** One element of `WatchResponse.events` with a piece of state; `hash` is set with the last piece. */
export function encodeStateEvent(
  seq: number,
  piece: Uint8Array,
  hash: string | undefined,
): WatchEvent {
  const state = inner
    .number(1, seq)
    .bytes(2, piece)
    .flag(3, hash !== undefined)
    .text(4, hash ?? '')
    .finish();
  return eventOf(1, state);
}

/** The same with a delta: encoded for the first watcher, kept for the others; or passed on as a replica got it. */
export function encodeDeltaEvent(delta: TailDelta): WatchEvent {
  const { encoded } = delta;
  if (encoded instanceof WatchEvent) return encoded;
  const event =
    encoded === undefined
      ? eventOf(2, encodeDelta(recordOf(delta)))
      : WatchEvent.fromElement(encoded as Buffer);
  delta.encoded = event;
  return event;
}

/** The same with several deltas in one. */
export function encodeComposedEvent(delta: ComposedDelta): WatchEvent {
  delta.encoded ??= eventOf(3, encodeComposed(delta));
  return delta.encoded as WatchEvent;
}

/** The same that says how far a view is unchanged. */
export function encodeProgressEvent(mark: ProgressMark): WatchEvent {
  mark.encoded ??= eventOf(4, inner.number(1, mark.seq).finish());
  return mark.encoded as WatchEvent;
}

function encodeComposed({ fromSeq, seq, patch, hash }: ComposedDelta): Buffer {
  return inner.number(1, fromSeq).number(2, seq).bytes(3, patch).text(4, hash).finish();
}

function eventOf(field: number, content: Uint8Array): WatchEvent {
  const event = inner.present(field, content).finish();
  return WatchEvent.fromFrame(outer.skip(FRAME_HEADER_BYTES).present(1, event).finish());
}
