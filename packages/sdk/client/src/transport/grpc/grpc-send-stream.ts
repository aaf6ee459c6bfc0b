// The stream of messages to one node, on a bidirectional gRPC call.

import { DeltabaseError } from '@deltabase/base';
import { type Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { SendStream, SendStreamListener } from '../transport.js';
import type { WireMessage, WireSession } from '../wire.js';
import { callError } from './call-error.js';
import { decodeFrame } from './frame-decoder.js';
import { FrameEncoder } from './frame-encoder.js';
import { SEND_STREAM } from './protos.js';

/** Opens DocumentsService.SendStream. */
export function openGrpcSendStream(
  client: Client,
  address: string,
  listener: SendStreamListener,
): SendStream {
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(
    SEND_STREAM.path,
    (bytes) => bytes,
    (bytes) => bytes,
    new Metadata(),
    // A call that cannot connect ends at once instead of waiting.
    {},
  );
  return new GrpcSendStream(call, address, listener);
}

class GrpcSendStream implements SendStream {
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #address: string;
  readonly #listener: SendStreamListener;
  readonly #encoder = new FrameEncoder();
  #ended = false;

  constructor(
    call: ClientDuplexStream<Buffer, Buffer>,
    address: string,
    listener: SendStreamListener,
  ) {
    this.#call = call;
    this.#address = address;
    this.#listener = listener;
    call.on('data', (bytes: Buffer) => this.#received(bytes));
    call.on('drain', () => {
      if (!this.#ended) listener.drained();
    });
    call.on('error', (error: ServiceError) => this.#end(callError(address, error)));
    call.on('end', () => this.#endedByNode());
  }

  write(
    session: WireSession | undefined,
    messages: readonly WireMessage[],
    timeoutMs: number,
  ): boolean {
    return this.#call.write(this.#encoder.encode(session, messages, timeoutMs));
  }

  cancel(): void {
    this.#ended = true;
    this.#call.cancel();
  }

  #received(bytes: Buffer): void {
    if (this.#ended) return;
    try {
      decodeFrame(bytes, this.#listener);
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      this.#call.cancel();
      this.#end(thrown);
    }
  }

  /** A node ends its side with a status, which comes as an error unless it is OK. */
  #endedByNode(): void {
    const why = `${this.#address} has ended the stream of messages`;
    setImmediate(() => this.#end(new DeltabaseError('UNAVAILABLE', why)));
  }

  #end(error: DeltabaseError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.ended(error);
  }
}
