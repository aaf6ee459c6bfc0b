// GetStatus of ClusterService at a replica: that of the node at the end of its upstreams, with this replica's name in it.
// Without the name whoever asks would take the replica's address for the node's.

import type {
  handleUnaryCall,
  MethodDefinition,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Passage } from './pass-through.js';

/** The service with a handler of GetStatus that passes it on and adds `name` to the answer. */
export function passStatus(
  service: ServiceDefinition,
  name: string,
  passage: Passage,
): { readonly definition: ServiceDefinition; readonly handlers: UntypedServiceImplementation } {
  const method = service['GetStatus'] as MethodDefinition<object, object>;
  // Of two encoded messages, one behind the other, Protocol Buffers read one, whose lists are those of both.
  const via = method.responseSerialize({ via: [name] });
  const handler: handleUnaryCall<Buffer, object> = (call, callback) =>
    passage.passUnary(method.path, call.request, call, (error, answer) =>
      callback(error, error === null ? Buffer.concat([via, answer as Buffer]) : undefined),
    );
  const GetStatus: MethodDefinition<Buffer, object> = {
    ...method,
    requestSerialize: (request) => request,
    requestDeserialize: (request) => request,
    responseSerialize: (response) => response as Buffer,
  };
  return { definition: { ...service, GetStatus }, handlers: { GetStatus: handler } };
}
