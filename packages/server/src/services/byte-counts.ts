// How many bytes clients and this node send to each other: counted where messages become bytes and bytes
// messages, which all of a service's methods have in common.

import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

/** Bytes of messages, without what gRPC and HTTP/2 add. */
export interface ByteCounts {
  clientBytesReceived: number;
  clientBytesSent: number;
}

/** The same service; what it receives and sends is added to `counts`. */
export function counted(service: ServiceDefinition, counts: ByteCounts): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => [
    name,
    countedMethod(method, counts),
  ]);
  return Object.fromEntries(methods) as ServiceDefinition;
}

function countedMethod(
  method: MethodDefinition<unknown, unknown>,
  counts: ByteCounts,
): MethodDefinition<unknown, unknown> {
  const { requestDeserialize, responseSerialize } = method;
  return {
    ...method,
    requestDeserialize: (bytes) => {
      counts.clientBytesReceived += bytes.length;
      return requestDeserialize(bytes);
    },
    responseSerialize: (response) => {
      const bytes = responseSerialize(response);
      counts.clientBytesSent += bytes.length;
      return bytes;
    },
  };
}
