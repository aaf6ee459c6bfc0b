// @deltabase/driver-upstream: the Upstreams port of replicas on gRPC.

export type { GrpcUpstreamsOptions } from './client.js';
export { GrpcUpstreams } from './grpc-upstreams.js';
