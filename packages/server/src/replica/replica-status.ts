// GetReplicaStatus of ReplicasService: what a replica tells of itself.

import type { Log, Replica } from '@deltabase/engine';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { unary } from '../services/unary.js';

export interface StatusHost {
  readonly replica: Replica;
  readonly log: Log;
  /** The release. */
  readonly version: string;
}

/** `GetReplicaStatusResponse`. */
interface GetReplicaStatusResponse {
  readonly name: string;
  readonly version: string;
  readonly uptimeMs: number;
  readonly upstream: string;
  readonly via: readonly string[];
  readonly copies: number;
  readonly copiesBytes: number;
  readonly watches: number;
  readonly readsAnswered: number;
  readonly eventsDelivered: number;
  readonly documentsHot: number;
  readonly sheddingLevel: number;
  readonly watchesShed: number;
  readonly readsShed: number;
  readonly attachments: number;
  readonly orders: number;
  readonly connections: number;
  readonly resyncs: number;
  readonly processBytes: number;
  readonly evictions: number;
}

/** The handlers, by method. */
export function statusHandlers({
  replica,
  log,
  version,
}: StatusHost): UntypedServiceImplementation {
  return {
    GetReplicaStatus: unary<object, GetReplicaStatusResponse>(log, (_call, answer) => {
      const { uptimeMs, upstream = '', ...status } = replica.status();
      const processBytes = process.memoryUsage.rss();
      const whole = { uptimeMs: Math.floor(uptimeMs), upstream, version, processBytes };
      answer.done(Object.assign(whole, status));
    }),
  };
}
