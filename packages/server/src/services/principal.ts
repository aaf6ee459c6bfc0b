// Who a call is from. Everybody is the same until calls are authenticated; nothing else in the server decides
// about it.

import type { Metadata } from '@grpc/grpc-js';

/** The principal of a call, as deltas name it. */
export function principalOf(_call: { readonly metadata: Metadata }): string {
  return 'anonymous';
}
