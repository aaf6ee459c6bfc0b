// The transport of Node.js: gRPC over HTTP/2.

import type { ClientLimits } from '../../limits.js';
import type { Transport } from '../transport.js';
import { GrpcLink } from './grpc-link.js';

/** Reaches nodes over gRPC. */
export function makeGrpcTransport(limits: ClientLimits): Transport {
  return { link: (address) => new GrpcLink(address, limits) };
}
