// How two nodes meet: the service of proto/deltabase/internal/v1/peer.proto and what each end says of itself
// before the first frame. Nodes of different clusters, and nodes that were given each other's address by
// mistake, part here with a reason for the log.

import type { Lane, NodeId } from '@deltabase/engine';
import { Metadata, type MethodDefinition } from '@grpc/grpc-js';

/** Who speaks, to whom it believes to speak, and on which lane. */
export interface Greeting {
  readonly cluster: string;
  readonly node: NodeId;
  /** host:port where peers reach the speaker. */
  readonly address: string;
  readonly peer: NodeId;
  readonly lane: Lane;
}

const PROTOCOL = '1';
/** The request, which says nothing: the greeting is in metadata. */
export const EMPTY = Buffer.alloc(0);

/** PeerService.Subscribe: an empty request, then frames; the receiver decodes and checks them itself. */
export const SUBSCRIBE: MethodDefinition<Uint8Array, Uint8Array> = {
  path: '/deltabase.internal.v1.PeerService/Subscribe',
  requestStream: false,
  responseStream: true,
  requestSerialize: () => EMPTY,
  requestDeserialize: () => EMPTY,
  // Frames go below gRPC (outbound.ts).
  responseSerialize: (message: Uint8Array) => Buffer.from(message),
  responseDeserialize: (message: Uint8Array) => message,
};

/** A greeting as metadata. */
export function writeGreeting({ cluster, node, address, peer, lane }: Greeting): Metadata {
  const metadata = new Metadata();
  metadata.set('deltabase-protocol', PROTOCOL);
  metadata.set('deltabase-cluster', cluster);
  metadata.set('deltabase-node', String(node));
  metadata.set('deltabase-address', address);
  metadata.set('deltabase-peer', String(peer));
  metadata.set('deltabase-lane', lane);
  return metadata;
}

/**
 * What is wrong with a greeting that `self` received, in words for an operator; `undefined` if nothing is.
 * `self.peer` is whom it expects.
 */
export function greetingProblem(self: Greeting, metadata: Metadata): string | undefined {
  const protocol = textOf(metadata, 'deltabase-protocol');
  if (protocol === '') return 'it is not a Deltabase node: check the address of the peer';
  if (protocol !== PROTOCOL) {
    return `it speaks peer protocol ${protocol}, this node ${PROTOCOL}: run releases that go together`;
  }
  const cluster = textOf(metadata, 'deltabase-cluster');
  if (cluster !== self.cluster) {
    return `it is of cluster ${JSON.stringify(cluster)}, this node of ${JSON.stringify(self.cluster)}: check the members`;
  }
  const node = textOf(metadata, 'deltabase-node');
  if (node !== String(self.peer)) {
    return `it is node ${node}, expected was node ${self.peer}: check the addresses of the members`;
  }
  const peer = textOf(metadata, 'deltabase-peer');
  if (peer !== String(self.node)) {
    return `it took this node for node ${peer}, but it is node ${self.node}: check the addresses of the members`;
  }
  return undefined;
}

/** The node that sent a greeting, where it is reached, and the lane; `undefined` where they make no sense. */
export function speakerOf(
  metadata: Metadata,
): { node: NodeId; address: string; lane: Lane } | undefined {
  const node = Number(textOf(metadata, 'deltabase-node'));
  const address = textOf(metadata, 'deltabase-address');
  const lane = textOf(metadata, 'deltabase-lane');
  if (!Number.isInteger(node) || (lane !== 'urgent' && lane !== 'bulk')) return undefined;
  return { node, address, lane };
}

function textOf(metadata: Metadata, name: string): string {
  return String(metadata.get(name)[0] ?? '');
}
