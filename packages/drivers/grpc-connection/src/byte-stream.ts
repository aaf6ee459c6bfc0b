// The HTTP/2 stream under a call of grpc-js. Its own way from a message to that stream costs several times what the stream
// costs (an object stream, interceptors, a copy, a callback of each): much, where a delta goes to a thousand watchers.
// What is found here is private to grpc-js, whose version is exact (docs/dependencies.md): if another one has it elsewhere,
// the first call says so.

import type { ServerHttp2Stream } from 'node:http2';
import { Metadata, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';

/** A call whose responses are bytes. */
export type BytesCall = ServerWritableStream<unknown, Buffer> | ServerDuplexStream<unknown, Buffer>;

/** As much of it as is used. */
export type ByteStream = Pick<ServerHttp2Stream, 'write' | 'writable' | 'writableLength'>;

/** A call, or what an interceptor put around it. */
interface InnerCall {
  readonly nextCall?: InnerCall;
  readonly stream?: ByteStream;
}

/** Bytes before each message (gRPC over HTTP/2, "Length-Prefixed-Message"): it is not compressed, and so long. */
export const FRAME_HEADER_BYTES = 5;

/** Writes the header of a frame at the start of `frame`, whose message is the rest. */
export function putFrameHeader(frame: Buffer): void {
  frame[0] = 0;
  frame.writeUInt32BE(frame.length - FRAME_HEADER_BYTES, 1);
}

/** Sends the call's headers, and returns the stream that its frames go to. The call still ends it. */
export function openByteStream(call: BytesCall): ByteStream {
  call.sendMetadata(new Metadata());
  return byteStreamOf(call);
}

/** The same of a call whose headers were sent. */
export function byteStreamOf(call: BytesCall): ByteStream {
  let inner = (call as unknown as { readonly call?: InnerCall }).call;
  while (inner?.nextCall !== undefined) inner = inner.nextCall;
  if (inner?.stream !== undefined) return inner.stream;
  throw new Error('a call of grpc-js has its stream of HTTP/2 somewhere else than it had');
}
