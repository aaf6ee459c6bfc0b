// How the client reaches nodes, apart from what it says to them: the logic above knows this interface only, so
// another transport (a browser's) takes the place of gRPC by implementing it. Listeners are called at moments
// of the transport's choosing, never from inside a call to it.

import { DeltabaseError } from '@deltabase/base';
import type { StreamCalls, UnaryCalls, WireError, WireMessage, WireSession } from './wire.js';

export interface Transport {
  /** A way to the node at `address` (host:port). Nothing happens until it is used. */
  link(address: string): Link;
}

/** A way to one node. Calls on it throw or end in DeltabaseErrors only. */
export interface Link {
  /** Opens a stream of messages. */
  openSendStream(listener: SendStreamListener): SendStream;
  /** Makes one call. Throws DEADLINE_EXCEEDED after `timeoutMs`, CANCELLED when `signal` is aborted. */
  call<Name extends keyof UnaryCalls>(
    name: Name,
    request: UnaryCalls[Name]['request'],
    options: CallOptions,
  ): Promise<UnaryCalls[Name]['response']>;
  /**
   * Makes a call that a stream answers. To leave the iteration ends the call; so does `signal`. It may share its way with
   * others, unless it is to be `apart`; throws `OnlyApart` where it cannot any more.
   */
  stream<Name extends keyof StreamCalls>(
    name: Name,
    request: StreamCalls[Name]['request'],
    options: StreamOptions,
  ): AsyncIterable<StreamCalls[Name]['response']>;
  /** Gives the connection up, with everything on it. */
  close(): void;
}

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface StreamOptions {
  /** Until when the whole answer must be there; none by default. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether nothing else may go its way: then the node sends as fast as the answer is read. */
  readonly apart?: boolean;
}

/** The stream can only go on apart from others: it is read too slowly, or so long that they would wait for it. */
export class OnlyApart extends DeltabaseError {
  constructor(why: string) {
    super('UNAVAILABLE', why);
  }
}

/** A bidirectional stream of messages and results. */
export interface SendStream {
  /**
   * Sends one frame; `session` if it changed. Returns whether the stream takes more now: if not, it calls
   * `drained` when it does.
   */
  write(
    session: WireSession | undefined,
    messages: readonly WireMessage[],
    timeoutMs: number,
  ): boolean;
  /** Ends the stream. The listener is not called any more. */
  cancel(): void;
}

/** What comes back on a stream of messages. Within a response: groups, routes, results, then `received`. */
export interface SendStreamListener {
  /** The first response: the document groups of the cluster. */
  opened(groups: number): void;
  /** `node` leads `group` at `address`; 0 and '': nobody that is known. */
  route(group: number, node: number, address: string): void;
  /** A message took effect, or had none to take. `reply` is JSON text. */
  accepted(number: number, seq: number, reply: string | undefined): void;
  failed(number: number, error: WireError): void;
  /** Everything of one response was told. */
  received(): void;
  /** The stream takes more again. */
  drained(): void;
  /** The stream has ended: nothing more will come. Called once. */
  ended(error: DeltabaseError): void;
}
