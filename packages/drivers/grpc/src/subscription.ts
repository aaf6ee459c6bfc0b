// One attempt to receive from a peer: a channel and a call of its own, so that nothing of a dead connection
// (its address, its backoff) outlives it. It ends exactly once, with the reason.

import { Connection } from '@deltabase/grpc-connection';
import { Client, type ClientReadableStream, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { decodePeerMessage } from './peer-frame.js';
import {
  EMPTY,
  type Greeting,
  greetingProblem,
  SUBSCRIBE,
  writeGreeting,
} from './peer-protocol.js';

export interface SubscriptionOptions {
  /** host:port of the peer. */
  readonly address: string;
  readonly greeting: Greeting;
  readonly frameBytesMax: number;
  /** A connection is asked so often whether it is alive, and has as much time to answer. */
  readonly keepaliveMs: number;
}

/** What becomes of it. */
export interface SubscriptionEvents {
  /** The peer is who it should be: frames follow. */
  opened(): void;
  /** `undefined`: a frame came damaged and was dropped. */
  received(frame: Uint8Array | undefined): void;
  ended(reason: string): void;
}

/** Until a peer must have answered; a host that swallows packets would hold the call for minutes. */
const ANSWER_MS = 2000;
/** What a peer may send ahead of this node's reading. */
const WINDOW_BYTES = 8 * 1024 * 1024;

export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #events: SubscriptionEvents;
  readonly #connection = new Connection();
  readonly #client: Client;
  readonly #call: ClientReadableStream<Uint8Array>;
  readonly #answerTimeout: ReturnType<typeof setTimeout>;
  #isOpen = false;
  #hasEnded = false;

  constructor(options: SubscriptionOptions, events: SubscriptionEvents) {
    this.#options = options;
    this.#events = events;
    this.#client = new Client(options.address, this.#connection, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.keepalive_time_ms': options.keepaliveMs,
      'grpc.keepalive_timeout_ms': options.keepaliveMs,
      'grpc-node.flow_control_window': WINDOW_BYTES,
      'grpc.max_receive_message_length': options.frameBytesMax,
      'grpc.max_send_message_length': 0,
    });
    this.#answerTimeout = setTimeout(() => this.#end('it does not answer'), ANSWER_MS);
    this.#call = this.#subscribe();
  }

  /** Ends it from this side, without an event. */
  cancel(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#answerTimeout);
    this.#call.cancel();
    this.#client.close();
    this.#connection.destroy();
  }

  #subscribe(): ClientReadableStream<Uint8Array> {
    const { path, requestSerialize, responseDeserialize } = SUBSCRIBE;
    const metadata = writeGreeting(this.#options.greeting);
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      EMPTY,
      metadata,
    );
    call.on('metadata', (answer: Metadata) => this.#greeted(answer));
    call.on('data', (message: Uint8Array) => {
      if (this.#isOpen) this.#events.received(decodePeerMessage(message));
    });
    call.on('error', (error: ServiceError) => this.#end(reasonIn(error.details)));
    call.on('end', () => this.#end('it closed the stream'));
    return call;
  }

  #greeted(answer: Metadata): void {
    if (this.#hasEnded) return;
    const problem = greetingProblem(this.#options.greeting, answer);
    if (problem !== undefined) {
      this.#end(problem);
      return;
    }
    clearTimeout(this.#answerTimeout);
    this.#isOpen = true;
    this.#events.opened();
  }

  #end(reason: string): void {
    if (this.#hasEnded) return;
    this.#isOpen = false;
    this.cancel();
    this.#events.ended(reason);
  }
}

const NO_CONNECTION = /Last error: (?:Error: )?(.*?)(?: \([-0-9TZ:.]+\))?\. Resolution note/;

/** What is wrong, without what gRPC puts around it: some of that is the time, so no two were alike. */
function reasonIn(details: string): string {
  return NO_CONNECTION.exec(details)?.[1] ?? details;
}
