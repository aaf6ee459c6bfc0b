// One SendStream call: many messages a frame in, the answers of a turn in one frame out, in whatever order
// they come. Nothing in it grows without bound: with too many messages unanswered, or too many answers
// unread, it reads no further frames; a client that reads nothing at all loses the stream.

import type { DeltabaseError, Limits } from '@deltabase/base';
import {
  type AnswerSink,
  type Failure,
  failure,
  type Result,
  type Submission,
} from '@deltabase/engine';
import type { SessionRef } from '@deltabase/machine';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  SendFrameReader,
  SendResponseWriter,
  type WireMessage,
} from '../wire/send-stream-codec.js';
import type { ByteCounts } from './byte-counts.js';
import { invalid, NO_SESSION, numberProblem, sessionOf } from './requests.js';
import { ResponseStream } from './response-stream.js';
import type { Routes } from './routes.js';
import { type CallStatus, statusOf } from './status.js';

export interface SendStreamHost {
  readonly limits: Limits;
  readonly routes: Routes;
  readonly principal: string;
  readonly bytes: ByteCounts;
  nowMs(): number;
  submit(submissions: readonly Submission[]): void;
  /** How what was thrown ends the call. */
  statusOfThrown(thrown: unknown): CallStatus;
}

/** Answers are sent as they are once they have so many bytes. */
const RESPONSE_BYTES = 256 * 1024;

export class SendStream implements AnswerSink {
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #host: SendStreamHost;
  readonly #reader: SendFrameReader;
  readonly #responses: ResponseStream;
  readonly #writer = new SendResponseWriter();
  readonly #stopListening: () => void;
  #session: SessionRef = NO_SESSION;
  /** Messages so far: the number of one without a session is its position. */
  #position = 0;
  #inFlight = 0;
  #hasAllRequests = false;

  constructor(call: ServerDuplexStream<Buffer, Buffer>, host: SendStreamHost) {
    this.#call = call;
    this.#host = host;
    this.#reader = new SendFrameReader(host.limits.frameMessagesMax);
    const drained = (): void => this.#continue();
    const closed = (): void => this.#closed();
    this.#responses = new ResponseStream(call, { drained, closed }, { bytes: host.bytes });
    this.#stopListening = host.routes.listen((changed) => this.#tellRoutes(changed));
    this.#writer.groups(host.routes.groups);
    this.#tellRoutes(host.routes.all());
    call.on('data', (frame: Buffer) => this.#received(frame));
    call.on('end', () => this.#receivedAll());
  }

  /** Messages without an answer. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Nobody waits for answers any more. */
  get isGone(): boolean {
    return this.#responses.isEnded;
  }

  answer(tag: number, result: Result): void {
    this.#inFlight--;
    this.#writer.result(tag, result);
    if (this.#writer.length >= RESPONSE_BYTES) this.#send();
  }

  flush(): void {
    this.#send();
    this.#continue();
  }

  /** Ends the call; what is unanswered stays so. */
  end(why: Failure): void {
    this.#responses.end(statusOf(why));
    this.#closed();
  }

  #received(frame: Buffer): void {
    if (this.#responses.isEnded) return;
    try {
      this.#submit(frame);
    } catch (thrown) {
      this.#responses.end(this.#host.statusOfThrown(thrown));
      this.#closed();
    }
    if (!this.#hasRoom()) this.#call.pause();
  }

  #submit(bytes: Buffer): void {
    const { limits } = this.#host;
    if (bytes.length > limits.frameBytesMax) throw frameTooLarge(bytes.length, limits);
    const frame = this.#reader.read(bytes);
    if (frame.session !== undefined) this.#session = sessionOf(frame.session, limits);
    const timeoutMs = Math.min(frame.timeoutMs || Infinity, limits.requestTimeoutMsMax);
    const expiresMs = this.#host.nowMs() + timeoutMs;
    const submissions: Submission[] = [];
    for (const message of frame.messages) {
      const submission = this.#submission(message, expiresMs);
      if (submission !== undefined) submissions.push(submission);
    }
    this.#inFlight += submissions.length;
    this.#host.submit(submissions);
    this.#send();
  }

  /** A message for the engine; one that cannot go there is answered at once. */
  #submission(wire: WireMessage, expiresMs: number): Submission | undefined {
    const position = ++this.#position;
    const session = this.#session;
    const problem = numberProblem(session, wire);
    if (problem !== undefined) {
      this.#writer.result(wire.number || position, failure('INVALID_ARGUMENT', problem));
      return undefined;
    }
    const { space, key, channel, payload, number, after, retried } = wire;
    const { principal } = this.#host;
    const id = { session, number, after, retried };
    const message = { space, key, channel, payload, principal, ...id };
    return { message, sink: this, tag: number || position, expiresMs };
  }

  #tellRoutes(groups: readonly number[]): void {
    for (const group of groups) this.#writer.route(this.#host.routes.of(group));
    this.#send();
  }

  #send(): void {
    if (this.#writer.length === 0) return;
    this.#responses.write(this.#writer.finish());
    const { streamQueueBytesMax } = this.#host.limits;
    if (this.#responses.queuedBytes <= streamQueueBytesMax) return;
    const why = `${streamQueueBytesMax} bytes of answers were not read: read them, then send again`;
    this.end(failure('OVERLOADED', why));
  }

  #continue(): void {
    if (this.#hasAllRequests) this.#endIfAnswered();
    else if (this.#call.isPaused() && this.#hasRoom()) this.#call.resume();
  }

  #hasRoom(): boolean {
    const { streamInFlightMax, streamQueueBytesMax } = this.#host.limits;
    return (
      this.#inFlight < streamInFlightMax && this.#responses.queuedBytes < streamQueueBytesMax / 2
    );
  }

  #receivedAll(): void {
    this.#hasAllRequests = true;
    this.#endIfAnswered();
  }

  #endIfAnswered(): void {
    if (this.#inFlight > 0 || this.#responses.isEnded) return;
    this.#responses.end();
    this.#closed();
  }

  #closed(): void {
    this.#stopListening();
  }
}

function frameTooLarge(length: number, { frameBytesMax }: Limits): DeltabaseError {
  return invalid(`a frame has ${length} bytes, ${frameBytesMax} are allowed: send several`);
}
