// A Watch call as documents.proto has it, without the client: what a process sends is seen as it is sent.

import { fileURLToPath } from 'node:url';
import {
  type Client,
  type ClientReadableStream,
  Metadata,
  type MethodDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Gives `WatchResponse`s, of whose events its user knows what it looks at. */
export type WatchCall<Event> = ClientReadableStream<{ readonly events: readonly Event[] }>;

const PROTO_ROOT = fileURLToPath(new URL('../../../proto/', import.meta.url));
const WATCH = loadWatch();

/** Begins a call with a `WatchRequest`; `received` is told the bytes of each response before it is given. */
export function callWatch<Event>(
  client: Client,
  request: object,
  received: (bytes: number) => void = () => {},
): WatchCall<Event> {
  const { path, requestSerialize, responseDeserialize } = WATCH;
  const decode = (bytes: Buffer): object => {
    received(bytes.length);
    return responseDeserialize(bytes);
  };
  return client.makeServerStreamRequest(
    path,
    requestSerialize,
    decode,
    request,
    new Metadata(),
    {},
  ) as WatchCall<Event>;
}

function loadWatch(): MethodDefinition<object, object> {
  const definition = loadSync(['deltabase/v1/documents.proto'], {
    includeDirs: [PROTO_ROOT],
    longs: Number,
    defaults: true,
  });
  const service = definition['deltabase.v1.DocumentsService'] as Record<
    string,
    MethodDefinition<object, object>
  >;
  return service['Watch']!;
}
