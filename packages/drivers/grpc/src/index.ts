// @deltabase/driver-grpc: the Network port on gRPC streams.

export { Connection } from './connection.js';
export { type GrpcNetwork, type GrpcNetworkOptions, openGrpcNetwork } from './grpc-network.js';
