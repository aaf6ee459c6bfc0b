// What callers see of a document's life, and how it is made of what nodes send.

import { DeltabaseError } from '@deltabase/base';
import type { Json } from '@deltabase/delta';
import type { WireComposedDelta, WireDelta } from '../transport/wire.js';

/** Why a delta happened. */
export interface Cause {
  readonly channel: string;
  readonly payload: Json;
  readonly principal: string;
  /** `session/number`; empty for a message without a session. */
  readonly messageId: string;
  /** The version of the machine that ran. */
  readonly version: number;
  readonly fuel: number;
  readonly seed: number;
}

/** One operation of RFC 6902 §4. */
export type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/** What one message did to a document. */
export interface DeltaEvent {
  readonly kind: 'delta';
  readonly seq: number;
  /** RFC 6902. */
  readonly patch: readonly Operation[];
  /** The document's rolling hash after it: 16 hexadecimal digits. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly cause: Cause;
}

/** What several deltas did together, or one or several to a view: what was at `fromSeq` becomes that at `seq`. */
export interface ComposedEvent {
  readonly kind: 'composed';
  /** The seq of the event before this one; of a view perhaps an earlier one, with nothing changed in between. */
  readonly fromSeq: number;
  readonly seq: number;
  /** RFC 6902. */
  readonly patch: readonly Operation[];
  /** The document's rolling hash after it: 16 hexadecimal digits. */
  readonly hash: string;
}

/** Up to `seq` a view is what it was at the event before. */
export interface ProgressEvent {
  readonly kind: 'progress';
  readonly seq: number;
}

/** A document as a whole, or all of a view. */
export interface StateEvent<State = Json> {
  readonly kind: 'state';
  /** 0: it has had no message yet, and `value` is null. */
  readonly seq: number;
  readonly hash: string;
  readonly value: State;
}

/** What a watch of every delta gives. */
export type WatchEvent<State = Json> = StateEvent<State> | DeltaEvent;

/** What a watch with pointers gives: of the view (docs/wire-formats.md, "views"), with its hashes. */
export type ViewEvent<View = Json> = StateEvent<View> | ComposedEvent | ProgressEvent;

/** What any watch gives. */
export type AnyWatchEvent<State = Json> = WatchEvent<State> | ViewEvent<State>;

/** The event of a delta as a node sent it. */
export function deltaEvent(delta: WireDelta): DeltaEvent {
  const { seq, patch, hash, timeMs, cause } = delta;
  if (cause === null) throw new DeltabaseError('INTERNAL', `delta ${seq} came without its cause`);
  const { channel, payload, principal, messageId, version, fuel, seed } = cause;
  return {
    kind: 'delta',
    seq,
    patch: jsonOf(patch) as unknown as readonly Operation[],
    hash,
    time: timeMs,
    cause: { channel, payload: jsonOf(payload), principal, messageId, version, fuel, seed },
  };
}

/** The event of several deltas in one, as a node sent it. */
export function composedEvent({ fromSeq, seq, patch, hash }: WireComposedDelta): ComposedEvent {
  const operations = jsonOf(patch) as unknown as readonly Operation[];
  return { kind: 'composed', fromSeq, seq, patch: operations, hash };
}

/** JSON text in UTF-8; none means null. */
export function jsonOf(bytes: Uint8Array): Json {
  if (bytes.length === 0) return null;
  return JSON.parse(decoder.decode(bytes));
}

const decoder = new TextDecoder('utf-8', { fatal: true });
