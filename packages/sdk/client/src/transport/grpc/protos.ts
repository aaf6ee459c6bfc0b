// The services of proto/deltabase/v1, as proto-loader makes them of the files: everything but the stream of
// messages goes this way; that stream has codecs of its own (frame-encoder.ts, frame-decoder.ts).

import { fileURLToPath } from 'node:url';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { StreamCalls, UnaryCalls, WireError } from '../wire.js';

/** A method of a service; requests and responses are the plain values of wire.ts. */
export type Method = MethodDefinition<object, object>;

const PROTO_ROOT = fileURLToPath(new URL('../../../../../../../proto/', import.meta.url));
const PACKAGE = 'deltabase.v1';

const definition = loadSync(
  ['documents', 'machines', 'cluster', 'replicas', 'errors'].map(
    (name) => `deltabase/v1/${name}.proto`,
  ),
  {
    includeDirs: [PROTO_ROOT],
    longs: Number,
    enums: String,
    defaults: true,
    arrays: true,
    objects: true,
  },
);

/** How each call of the client is made. */
export const METHODS: Readonly<Record<keyof UnaryCalls | keyof StreamCalls, Method>> = {
  Get: method('DocumentsService', 'Get'),
  Watch: method('DocumentsService', 'Watch'),
  ListDeltas: method('DocumentsService', 'ListDeltas'),
  Deploy: method('MachinesService', 'Deploy'),
  ListMachines: method('MachinesService', 'ListMachines'),
  GetMachine: method('MachinesService', 'GetMachine'),
  GetStatus: method('ClusterService', 'GetStatus'),
  ListMembers: method('ClusterService', 'ListMembers'),
  AddMember: method('ClusterService', 'AddMember'),
  PromoteMember: method('ClusterService', 'PromoteMember'),
  RemoveMember: method('ClusterService', 'RemoveMember'),
  ReplaceMember: method('ClusterService', 'ReplaceMember'),
  TransferLeader: method('ClusterService', 'TransferLeader'),
  ReadLog: method('ClusterService', 'ReadLog'),
  ListHot: method('ClusterService', 'ListHot'),
  GetReplicaStatus: method('ReplicasService', 'GetReplicaStatus'),
};

/** DocumentsService.SendStream; its codecs here are the generic ones. */
export const SEND_STREAM: Method = method('DocumentsService', 'SendStream');

/** DocumentsService.GetMany; requests are made by the generic codec, responses are read by hand. */
export const GET_MANY: Method = method('DocumentsService', 'GetMany');

/** DocumentsService.WatchMany, which carries the watches of a node together. */
export const WATCH_MANY: Method = method('DocumentsService', 'WatchMany');

/** The error in a trailer `deltabase-error-bin`. Throws if the bytes are not one. */
export function decodeError(bytes: Buffer): WireError {
  return errorType().deserialize(bytes) as WireError;
}

/** The bytes of an error, as nodes put them into the trailer; for tests. */
export function encodeError(error: WireError): Buffer {
  return errorType().serialize(error);
}

function method(service: string, name: string): Method {
  const found = definition[`${PACKAGE}.${service}`] as Record<string, Method> | undefined;
  const known = found?.[name];
  if (known === undefined) throw new Error(`the protos lack ${service}.${name}`);
  return known;
}

interface MessageType {
  readonly serialize: (value: object) => Buffer;
  readonly deserialize: (bytes: Buffer) => object;
}

function errorType(): MessageType {
  return definition[`${PACKAGE}.Error`] as unknown as MessageType;
}
