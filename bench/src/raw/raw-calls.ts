// gRPC calls whose messages are bytes: what load costs its own process is the library, and reading a
// few fields.

import { Client, credentials } from '@grpc/grpc-js';

export const identity = (bytes: Buffer): Buffer => bytes;

/** A connection of its own. */
export function connectRaw(address: string): Client {
  return new Client(address, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
  });
}
