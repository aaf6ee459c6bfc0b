// @deltabase/driver-upstream: the Upstreams port of replicas on gRPC.

export { GrpcUpstreams, type GrpcUpstreamsOptions } from './grpc-upstreams.js';
export { decodeWatchMany, type WatchManyEvents } from './watch-many-decoder.js';
