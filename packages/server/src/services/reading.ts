// What every process offers whoever reads documents, be it a node or a replica: Get, GetMany, Watch and WatchMany of
// DocumentsService.

import type { Limits } from '@deltabase/base';
import type {
  CopyDirectory,
  DocumentStreams,
  Log,
  OriginFeed,
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
import { GetManyStream } from './get-many-stream.js';
import { type GetFields, readRequestOf } from './read-request.js';
import { expiryOf } from './requests.js';
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
    Get: unary<GetFields, GetResponse>(host.log, (call, answer) => get(host, hints, call, answer)),
    GetMany: (call: ServerDuplexStream<Buffer, Buffer>) => getMany(host, hints, call),
    Watch: (call: ServerWritableStream<WatchFields, Buffer>) => watch(host, hints, call),
    WatchMany: (call: ServerDuplexStream<WatchManyRequest, Buffer>) => watchMany(host, hints, call),
  };
}

function get(
  host: ReadingHost,
  hints: CopyHints,
  call: ServerUnaryCall<GetFields, GetResponse>,
  answer: Answer<GetResponse>,
): void {
  const { limits, streams } = host;
  const expiresMs = expiryOf(call.getDeadline(), host.nowMs(), limits);
  const request = readRequestOf(call.request, limits, expiresMs);
  const read = streams.read(request, (result) => {
    if (result.kind === 'failed') {
      answer.failed(result);
      return;
    }
    const { seq, hash, stalenessMs: exact } = result;
    const value = Buffer.from(result.value);
    const stalenessMs = exact === undefined ? {} : { stalenessMs: Math.ceil(exact) };
    // What is asked of the past only nodes answer.
    const copies = request.atSeq === undefined ? hints.of(request) : [];
    if (copies.length > 0) call.sendMetadata(hintMetadata(copies));
    answer.done({ seq, hash, value, copies, ...stalenessMs });
  });
  call.on('cancelled', () => read.cancel());
}

function getMany(
  host: ReadingHost,
  hints: CopyHints,
  call: ServerDuplexStream<Buffer, Buffer>,
): void {
  const { streams, limits, bytes, log } = host;
  new GetManyStream(call, {
    ...{ streams, hints, limits, bytes },
    nowMs: () => host.nowMs(),
    statusOfThrown: (thrown) => statusOfThrown(thrown, log),
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

function watchMany(
  host: ReadingHost,
  hints: CopyHints,
  call: ServerDuplexStream<WatchManyRequest, Buffer>,
): void {
  const { streams, limits, origin, watchQueues, bytes, log } = host;
  new WatchManyStream(call, {
    ...{ streams, hints, limits, origin, bytes },
    total: watchQueues,
    nowMs: () => host.nowMs(),
    statusOfThrown: (thrown) => statusOfThrown(thrown, log),
  });
}
