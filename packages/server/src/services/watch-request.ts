// What WatchRequest of documents.proto asks of the engine.

import type { WatchPolicy, WatchRequest } from '@deltabase/engine';
import { checkCount, invalid } from './requests.js';

/** `WatchRequest` as proto-loader gives it. */
export interface WatchFields {
  readonly space: string;
  readonly key: string;
  readonly afterSeq?: number;
  readonly policy: number;
  readonly perSecond: number;
  readonly forCopy: boolean;
  readonly pointers: readonly string[];
}

/** Throws INVALID_ARGUMENT for what no watch can be. */
export function watchRequestOf(fields: WatchFields): WatchRequest {
  const { space, key, afterSeq, forCopy, pointers } = fields;
  checkCount('after_seq', afterSeq);
  return { space, key, afterSeq, policy: policyOf(fields), forCopy, pointers };
}

/** WATCH_POLICY_... of documents.proto. */
function policyOf({ policy, perSecond }: WatchFields): WatchPolicy {
  if (policy === 0 || policy === 1) return { kind: 'every' };
  if (policy === 2) return { kind: 'latest' };
  if (policy === 3) return { kind: 'perSecond', perSecond };
  throw invalid(`watch policy ${policy} is not known here: use one of WatchPolicy`);
}
