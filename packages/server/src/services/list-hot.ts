// ListHot of ClusterService: which documents are read and watched most at this process, be it a node or a replica.

import type { HotDocument, Log, NodeId } from '@deltabase/engine';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { unary } from './unary.js';

/** The process that answers. */
export interface HotSource {
  /** 0 for a replica. */
  readonly node: NodeId;
  /** The name of a replica; empty for a node. */
  readonly replica: string;
  hottest(count: number): HotDocument[];
  /** 0: unknown. */
  leaderOf(space: string, key: string): NodeId;
}

interface ListHotRequest {
  readonly limit: number;
}

/** Documents that are given if nobody says how many, and at most. */
const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;

export function listHot(log: Log, source: HotSource): handleUnaryCall<ListHotRequest, object> {
  return unary<ListHotRequest, object>(log, (call, answer) => {
    const { node, replica } = source;
    const documents = source.hottest(Math.min(call.request.limit || LIMIT_DEFAULT, LIMIT_MAX));
    answer.done({ node, replica, documents: documents.map((one) => heatOf(one, source)) });
  });
}

/** `DocumentHeat`. */
function heatOf(document: HotDocument, source: HotSource): object {
  return { leader: source.leaderOf(document.space, document.key), ...document };
}
