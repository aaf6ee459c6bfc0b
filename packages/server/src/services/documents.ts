// DocumentsService of a node: from what gRPC brings to what the engine takes, and back. What a replica offers too is
// in reading.ts.

import type { Limits } from '@deltabase/base';
import { type AnswerSink, type Engine, type Log, NODE_ORIGIN } from '@deltabase/engine';
import type {
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Route, WireMessage } from '../wire/send-stream-codec.js';
import type { ByteCounts } from './byte-counts.js';
import { DeltaList } from './delta-list.js';
import type { PageStreams } from './page-stream.js';
import { principalOf } from './principal.js';
import { readingHandlers } from './reading.js';
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

export interface DocumentsHost {
  readonly engine: Engine;
  readonly routes: Routes;
  readonly limits: Limits;
  readonly pages: PageStreams;
  readonly watchQueues: QueueTotal;
  readonly bytes: ByteCounts;
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
    ...readingHandlers({
      ...{ streams: host.engine, copies: host.engine, origin: NODE_ORIGIN },
      ...host,
    }),
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
  const { engine, routes, limits, bytes, log } = host;
  new SendStream(call, {
    ...{ limits, routes, bytes },
    principal: principalOf(call),
    nowMs: () => host.nowMs(),
    submit: (submissions) => engine.submit(submissions),
    statusOfThrown: (thrown) => statusOfThrown(thrown, log),
  });
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
  host.pages.begin(call, new DeltaList(host.engine, request), host.bytes);
}
