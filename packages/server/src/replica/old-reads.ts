// Reads of earlier states: a replica keeps the present ones only, so these go to its upstream, as they came.

import type {
  handleUnaryCall,
  MethodDefinition,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Passage } from './pass-through.js';

interface Request {
  readonly atSeq?: number;
}

/** The bytes of requests that wait for their handler. */
const bytesOf = new WeakMap<object, Buffer>();

/** The service with `own` handlers, of which Get passes on what asks for an earlier state. */
export function passOldReads(
  service: ServiceDefinition,
  own: UntypedServiceImplementation,
  passage: Passage,
): { readonly definition: ServiceDefinition; readonly handlers: UntypedServiceImplementation } {
  const method = service['Get'] as MethodDefinition<Request, object>;
  const get = own['Get'] as handleUnaryCall<Request, object>;
  const handler: handleUnaryCall<Request, object> = (call, callback) => {
    const bytes = bytesOf.get(call.request);
    if (call.request.atSeq === undefined || bytes === undefined) get(call, callback);
    else passage.passUnary(method.path, bytes, call, callback);
  };
  const Get: MethodDefinition<Request, object> = {
    ...method,
    requestDeserialize(bytes) {
      const request = method.requestDeserialize(bytes);
      if (request.atSeq !== undefined) bytesOf.set(request, bytes);
      return request;
    },
    responseSerialize: (response) =>
      Buffer.isBuffer(response) ? response : method.responseSerialize(response),
  };
  return { definition: { ...service, Get }, handlers: { ...own, Get: handler } };
}
