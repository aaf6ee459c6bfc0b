// What every process offers whoever reads documents, be it a node or a replica: Get, Watch and WatchMany of
// DocumentsService.

import type { Limits } from '@deltabase/base';
import { parsePointer } from '@deltabase/delta';
import type {
  CopyDirectory,
  DocumentStreams,
  Log,
  OriginFeed,
  ReadMode,
  WatchRequest,
} from '@deltabase/engine';
import type {
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ByteCounts } from './byte-counts.js';
import { CopyHints, encodeHint, hintMetadata } from './copy-hints.js';
import { checkCount, expiryOf, invalid } from './requests.js';
import type { QueueTotal } from './response-stream.js';
import { statusOfThrown } from './status.js';
import { type Answer, unary } from './unary.js';
import { type WatchManyRequest, WatchManyStream } from './watch-many-stream.js';
import { type WatchFields, watchRequestOf } from './watch-request.js';
import { WatchStream } from './watch-stream.js';

export interface ReadingHost {
  readonly streams: DocumentStreams;
  /** Where else documents may be read. */
  readonly copies: Pick<CopyDirectory, 'copiesOf' | 'followCopies'>;
  readonly origin: OriginFeed;
  readonly limits: Limits;
  /** What all watches of the process hold back. */
  readonly watchQueues: QueueTotal;
  readonly bytes?: ByteCounts;
  readonly log: Log;
  nowMs(): number;
}

interface GetRequest {
  readonly space: string;
  readonly key: string;
  readonly pointer: string;
  readonly mode: number;
  readonly atLeastSeq: number;
  readonly atSeq?: number;
  readonly withinMs?: number;
}

interface GetResponse {
  readonly seq: number;
  readonly hash: string;
  readonly value: Uint8Array;
  readonly stalenessMs?: number;
  readonly copies?: readonly string[];
}

/** The handlers, by method. */
export function readingHandlers(host: ReadingHost): UntypedServiceImplementation {
  const hints = new CopyHints(host.copies);
  return {
    Get: unary<GetRequest, GetResponse>(host.log, (call, answer) => get(host, hints, call, answer)),
    Watch: (call: ServerWritableStream<WatchFields, Buffer>) => watch(host, hints, call),
    WatchMany: (call: ServerDuplexStream<WatchManyRequest, Buffer>) => watchMany(host, call),
  };
}

function get(
  host: ReadingHost,
  hints: CopyHints,
  call: ServerUnaryCall<GetRequest, GetResponse>,
  answer: Answer<GetResponse>,
): void {
  const { space, key, pointer, atSeq } = call.request;
  checkCount('at_seq', atSeq);
  checkPointer(pointer, host.limits);
  const mode = readModeOf(call.request);
  const expiresMs = expiryOf(call.getDeadline(), host.nowMs(), host.limits);
  host.streams.read({ space, key, pointer, mode, atSeq, expiresMs }, (result) => {
    if (result.kind === 'failed') {
      answer.failed(result);
      return;
    }
    const { seq, hash, stalenessMs: exact } = result;
    const value = Buffer.from(result.value);
    const stalenessMs = exact === undefined ? {} : { stalenessMs: Math.ceil(exact) };
    // What is asked of the past only nodes answer.
    const copies = atSeq === undefined ? hints.of(call.request) : [];
    if (copies.length > 0) call.sendMetadata(hintMetadata(copies));
    answer.done({ seq, hash, value, copies, ...stalenessMs });
  });
}

function watch(
  host: ReadingHost,
  hints: CopyHints,
  call: ServerWritableStream<WatchFields, Buffer>,
): void {
  let request: WatchRequest;
  try {
    request = watchRequestOf(call.request);
  } catch (thrown) {
    call.emit('error', statusOfThrown(thrown, host.log));
    return;
  }
  const stream = new WatchStream(call, host.limits, {
    queued: host.watchQueues,
    bytes: host.bytes,
  });
  if (!request.forCopy) {
    const copies = hints.of(request);
    if (copies.length > 0) {
      call.sendMetadata(hintMetadata(copies));
      stream.hint(encodeHint(copies));
    }
    stream.hintFrom((told) => hints.follow(request, told));
  }
  stream.begin((sink) => host.streams.watch(request, sink));
}

function watchMany(host: ReadingHost, call: ServerDuplexStream<WatchManyRequest, Buffer>): void {
  const { streams, limits, origin, watchQueues, bytes, log } = host;
  new WatchManyStream(call, {
    ...{ streams, limits, origin, bytes },
    total: watchQueues,
    nowMs: () => host.nowMs(),
    statusOfThrown: (thrown) => statusOfThrown(thrown, log),
  });
}

/** READ_MODE_... of documents.proto. */
function readModeOf({ mode, atLeastSeq, withinMs }: GetRequest): ReadMode {
  checkCount('at_least_seq', atLeastSeq);
  checkCount('within_ms', withinMs);
  if (mode === 0 || mode === 1) return { kind: 'linearizable' };
  if (mode === 2) return { kind: 'atLeast', seq: atLeastSeq };
  if (mode === 3) return withinMs === undefined ? { kind: 'stale' } : { kind: 'stale', withinMs };
  throw invalid(`read mode ${mode} is not known here: use one of ReadMode`);
}

/** Throws INVALID_ARGUMENT unless it is a JSON pointer of acceptable length. */
function checkPointer(pointer: string, limits: Limits): void {
  if (Buffer.byteLength(pointer) > limits.pointerBytesMax) {
    throw invalid(`the pointer is longer than ${limits.pointerBytesMax} bytes`);
  }
  parsePointer(pointer);
}
