// DocumentsService: from what gRPC brings to what the engine takes, and back.

import type { Limits } from '@deltabase/base';
import { parsePointer } from '@deltabase/delta';
import type { AnswerSink, Engine, Log, ReadMode, WatchPolicy } from '@deltabase/engine';
import type {
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Route, WireMessage } from '../wire/send-stream-codec.js';
import { DeltaList } from './delta-list.js';
import type { PageStreams } from './page-stream.js';
import { principalOf } from './principal.js';
import {
  checkCount,
  expiryOf,
  invalid,
  NO_SESSION,
  numberProblem,
  type SessionFields,
  sessionOf,
} from './requests.js';
import type { QueueTotal } from './response-stream.js';
import type { Routes } from './routes.js';
import { SendStream } from './send-stream.js';
import { statusOfThrown } from './status.js';
import { type Answer, unary } from './unary.js';
import { WatchStream } from './watch-stream.js';

export interface DocumentsHost {
  readonly engine: Engine;
  readonly routes: Routes;
  readonly limits: Limits;
  readonly pages: PageStreams;
  readonly watchQueues: QueueTotal;
  readonly log: Log;
  nowMs(): number;
}

interface SendRequest {
  readonly message: WireMessage | null;
  readonly session: SessionFields | null;
}

interface SendResponse {
  readonly seq: number;
  readonly reply?: Uint8Array;
  readonly route?: Route;
}

interface GetRequest {
  readonly space: string;
  readonly key: string;
  readonly pointer: string;
  readonly mode: number;
  readonly atLeastSeq: number;
  readonly atSeq?: number;
}

interface GetResponse {
  readonly seq: number;
  readonly hash: string;
  readonly value: Uint8Array;
}

interface WatchRequest {
  readonly space: string;
  readonly key: string;
  readonly afterSeq?: number;
  readonly policy: number;
  readonly perSecond: number;
}

interface ListDeltasRequest {
  readonly space: string;
  readonly key: string;
  readonly fromSeq: number;
  readonly limit: number;
}

/** The handlers, by method. */
export function documentsHandlers(host: DocumentsHost): UntypedServiceImplementation {
  const { log } = host;
  return {
    Send: unary<SendRequest, SendResponse>(log, (call, answer) => send(host, call, answer)),
    SendStream: (call: ServerDuplexStream<Buffer, Buffer>) => sendStream(host, call),
    Get: unary<GetRequest, GetResponse>(log, (call, answer) => get(host, call, answer)),
    Watch: (call: ServerWritableStream<WatchRequest, Buffer>) => watch(host, call),
    ListDeltas: (call: ServerWritableStream<ListDeltasRequest, Buffer>) => listDeltas(host, call),
  };
}

function send(
  host: DocumentsHost,
  call: ServerUnaryCall<SendRequest, SendResponse>,
  answer: Answer<SendResponse>,
): void {
  const { engine, routes, limits } = host;
  const { message: fields, session: sessionFields } = call.request;
  if (fields === null) throw invalid('the request has no message');
  const session = sessionFields === null ? NO_SESSION : sessionOf(sessionFields, limits);
  const problem = numberProblem(session, fields);
  if (problem !== undefined) throw invalid(problem);
  const { space, key, channel, payload, number, after, retried } = fields;
  const principal = principalOf(call);
  const id = { session, number, after, retried };
  const message = { space, key, channel, payload, principal, ...id };
  const sink: AnswerSink = {
    answer(_tag, result) {
      if (result.kind === 'failed') {
        answer.failed(result);
      } else {
        const { seq, reply } = result;
        const route = routes.elsewhere(space, key);
        answer.done({ seq, ...(reply && { reply }), ...(route && { route }) });
      }
    },
    flush() {},
  };
  const expiresMs = expiryOf(call.getDeadline(), host.nowMs(), limits);
  engine.submit([{ message, sink, tag: 0, expiresMs }]);
}

function sendStream(host: DocumentsHost, call: ServerDuplexStream<Buffer, Buffer>): void {
  const { engine, routes, limits, log } = host;
  new SendStream(call, {
    limits,
    routes,
    principal: principalOf(call),
    nowMs: () => host.nowMs(),
    submit: (submissions) => engine.submit(submissions),
    statusOfThrown: (thrown) => statusOfThrown(thrown, log),
  });
}

function get(
  host: DocumentsHost,
  call: ServerUnaryCall<GetRequest, GetResponse>,
  answer: Answer<GetResponse>,
): void {
  const { space, key, pointer, atSeq } = call.request;
  checkCount('at_seq', atSeq);
  checkPointer(pointer, host.limits);
  const mode = readModeOf(call.request);
  const expiresMs = expiryOf(call.getDeadline(), host.nowMs(), host.limits);
  host.engine.read({ space, key, pointer, mode, atSeq, expiresMs }, (result) => {
    if (result.kind === 'failed') answer.failed(result);
    else answer.done({ seq: result.seq, hash: result.hash, value: Buffer.from(result.value) });
  });
}

function watch(host: DocumentsHost, call: ServerWritableStream<WatchRequest, Buffer>): void {
  const { space, key, afterSeq } = call.request;
  let policy: WatchPolicy;
  try {
    checkCount('after_seq', afterSeq);
    policy = watchPolicyOf(call.request);
  } catch (thrown) {
    call.emit('error', statusOfThrown(thrown, host.log));
    return;
  }
  const stream = new WatchStream(call, host.limits, host.watchQueues);
  stream.begin((sink) => host.engine.watch({ space, key, afterSeq, policy }, sink));
}

function listDeltas(
  host: DocumentsHost,
  call: ServerWritableStream<ListDeltasRequest, Buffer>,
): void {
  const { space, key, fromSeq, limit } = call.request;
  try {
    checkCount('from_seq', fromSeq);
    checkCount('limit', limit);
  } catch (thrown) {
    call.emit('error', statusOfThrown(thrown, host.log));
    return;
  }
  const request = { space, key, fromSeq: fromSeq || 1, limit: limit || Infinity };
  host.pages.begin(call, new DeltaList(host.engine, request));
}

/** READ_MODE_... of documents.proto. */
function readModeOf({ mode, atLeastSeq }: GetRequest): ReadMode {
  checkCount('at_least_seq', atLeastSeq);
  if (mode === 0 || mode === 1) return { kind: 'linearizable' };
  if (mode === 2) return { kind: 'atLeast', seq: atLeastSeq };
  if (mode === 3) return { kind: 'stale' };
  throw invalid(`read mode ${mode} is not known here: use one of ReadMode`);
}

/** WATCH_POLICY_... of documents.proto. */
function watchPolicyOf({ policy, perSecond }: WatchRequest): WatchPolicy {
  if (policy === 0 || policy === 1) return { kind: 'every' };
  if (policy === 2) return { kind: 'latest' };
  if (policy === 3) return { kind: 'perSecond', perSecond };
  throw invalid(`watch policy ${policy} is not known here: use one of WatchPolicy`);
}

/** Throws INVALID_ARGUMENT unless it is a JSON pointer of acceptable length. */
function checkPointer(pointer: string, limits: Limits): void {
  if (Buffer.byteLength(pointer) > limits.pointerBytesMax) {
    throw invalid(`the pointer is longer than ${limits.pointerBytesMax} bytes`);
  }
  parsePointer(pointer);
}
