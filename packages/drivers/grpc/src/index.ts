// @deltabase/driver-grpc: the Network port on gRPC streams.

export { type GrpcNetwork, type GrpcNetworkOptions, openGrpcNetwork } from './grpc-network.js';
