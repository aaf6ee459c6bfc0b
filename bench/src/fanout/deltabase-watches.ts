// Watches of one of our documents: each a call of its own (Watch), or many on one (WatchMany).

import type { Client, ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';
import { FieldWriter, packedIn, readFields } from '../raw/protobuf.js';
import { identity } from '../raw/raw-calls.js';
import type { Place, WatchListener } from './watched.js';

const WATCH = '/deltabase.v1.DocumentsService/Watch';
const WATCH_MANY = '/deltabase.v1.DocumentsService/WatchMany';
/** What a call may have on its way; as much as was read is granted again, not in small change. */
const CREDIT_BYTES = 4 * 1024 * 1024;
const GRANT_BYTES = 256 * 1024;

/** Opens a call for each listener. */
export function watchDeltabase(
  client: Client,
  place: Place,
  listeners: readonly WatchListener[],
): void {
  for (const listener of listeners) watch(client, requestFor(place), listener);
}

/** Opens one call, and a watch on it for each listener. */
export function watchManyOfDeltabase(
  client: Client,
  place: Place,
  listeners: readonly WatchListener[],
): void {
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    WATCH_MANY,
    identity,
    identity,
  );
  const fail = (why: Error): void => {
    for (const listener of listeners) listener.failed(why);
  };
  let ungranted = 0;
  call.on('data', (bytes: Buffer) => {
    readFields(bytes, 0, bytes.length, (field, _value, start, end) => {
      if (field === 1) receiveWatched(bytes, start, end, listeners);
      else if (field === 2) fail(new Error('the node ended a watch'));
    });
    ungranted += bytes.length;
    if (ungranted < GRANT_BYTES) return;
    call.write(new FieldWriter().number(3, ungranted).finish());
    ungranted = 0;
  });
  call.on('error', fail);
  call.on('end', () => fail(new Error('the node ended the call')));
  const opened = new FieldWriter().number(3, CREDIT_BYTES);
  for (const at of listeners.keys()) {
    const watch = new FieldWriter().number(1, at + 1).bytes(2, requestFor(place));
    opened.bytes(1, watch.finish());
  }
  call.write(opened.finish());
}

/** The value in a delta of a register (bench/machines/register): one operation that replaces it. */
export function valueInDelta(delta: Uint8Array): string {
  let patch = '';
  readFields(delta, 0, delta.length, (field, _value, start, end) => {
    if (field === 2) patch = Buffer.from(delta.subarray(start, end)).toString();
  });
  const [operation] = JSON.parse(patch) as { value: string }[];
  return operation!.value;
}

function watch(client: Client, request: Buffer, listener: WatchListener): void {
  const call: ClientReadableStream<Buffer> = client.makeServerStreamRequest(
    WATCH,
    identity,
    identity,
    request,
  );
  call.on('data', (bytes: Buffer) => {
    readFields(bytes, 0, bytes.length, (_events, _value, start, end) => {
      receiveEvent(bytes, start, end, listener);
    });
  });
  call.on('error', (why) => listener.failed(why));
  call.on('end', () => listener.failed(new Error('the node ended the watch')));
}

/** Events, and the watches that they are for: their ids come behind them. */
function receiveWatched(
  bytes: Buffer,
  start: number,
  end: number,
  listeners: readonly WatchListener[],
): void {
  const events: number[] = [];
  readFields(bytes, start, end, (field, value, from, to) => {
    if (field === 1) events.push(from, to);
    else if (field === 2) {
      // One alone is not packed.
      for (const id of from === to ? [value] : packedIn(bytes, from, to)) {
        for (let at = 0; at < events.length; at += 2) {
          receiveEvent(bytes, events[at]!, events[at + 1]!, listeners[id - 1]!);
        }
      }
    }
  });
}

function receiveEvent(bytes: Buffer, start: number, end: number, listener: WatchListener): void {
  readFields(bytes, start, end, (kind, _value, from, to) => {
    const seq = seqOf(bytes, from, to);
    if (kind === 1) listener.began(seq);
    else if (kind === 2) listener.received(seq, bytes.subarray(from, to));
  });
}

function requestFor({ space, key }: Place): Buffer {
  return new FieldWriter().bytes(1, space).bytes(2, key).finish();
}

function seqOf(bytes: Uint8Array, start: number, end: number): number {
  let seq = 0;
  readFields(bytes, start, end, (field, value) => {
    if (field === 1) seq = value;
  });
  return seq;
}
