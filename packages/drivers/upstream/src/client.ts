// A connection to an upstream, and the calls on it.

import type { Connection } from '@deltabase/grpc-connection';
import { Client } from '@grpc/grpc-js';

export interface GrpcUpstreamsOptions {
  /** The largest message that an upstream may send, bytes. */
  readonly receiveBytesMax: number;
  /** What may be on its way from an upstream, bytes. */
  readonly creditBytes: number;
}

/** A connection that carries nothing is asked for a sign of life this often. */
const KEEPALIVE_MS = 2000;
const KEEPALIVE_TIMEOUT_MS = 3000;
const CONNECT_MS_MAX = 1000;

/** Its connection is `connection`, so that it can be destroyed. */
export function makeClient(
  address: string,
  connection: Connection,
  { receiveBytesMax, creditBytes }: GrpcUpstreamsOptions,
): Client {
  return new Client(address, connection, {
    'grpc.max_receive_message_length': receiveBytesMax,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.initial_reconnect_backoff_ms': CONNECT_MS_MAX,
    'grpc.max_reconnect_backoff_ms': CONNECT_MS_MAX,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc-node.flow_control_window': 2 * creditBytes,
  });
}
