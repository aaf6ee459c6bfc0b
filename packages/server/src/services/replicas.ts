// ReplicasService, as far as nodes and replicas both offer it: Attach.

import type { Limits } from '@deltabase/base';
import type { Log, ReplicaRegistry } from '@deltabase/engine';
import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { type AttachRequest, type AttachResponse, AttachStream } from './attach-stream.js';
import { statusOfThrown } from './status.js';

export interface ReplicasHost {
  readonly registry: ReplicaRegistry;
  readonly limits: Limits;
  readonly log: Log;
  /** Where clients reach the nodes of the cluster; none, if this is no node. */
  nodes(): readonly string[];
}

/** The handlers, by method. */
export function attachHandlers(host: ReplicasHost): UntypedServiceImplementation {
  const { registry, limits, log } = host;
  return {
    Attach: (call: ServerDuplexStream<AttachRequest, AttachResponse>) => {
      new AttachStream(call, {
        ...{ registry, limits },
        nodes: () => host.nodes(),
        statusOfThrown: (thrown) => statusOfThrown(thrown, log),
      });
    },
  };
}
