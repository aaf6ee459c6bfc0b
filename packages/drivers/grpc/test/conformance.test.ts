import type { NodeId } from '@deltabase/engine';
import { type NetworkUnderTest, testNetworkConformance } from '@deltabase/testkit';
import { openNode, type TestNode } from './support/test-node.js';

const DEADLINE_MS = 10_000;

/** Nodes find each other by the ports they had in their first life. */
async function open(): Promise<NetworkUnderTest> {
  const ports = new Map<NodeId, number>();
  const nodes = new Map<NodeId, TestNode>();
  return {
    async start(id) {
      const node = await openNode(id, { port: ports.get(id) ?? 0 });
      ports.set(id, node.network.port);
      nodes.set(id, node);
      for (const other of nodes.values()) {
        if (other === node) continue;
        node.network.setPeer(other.id, `127.0.0.1:${ports.get(other.id)}`);
        other.network.setPeer(id, node.address);
      }
      return node.network;
    },
    addressOf: (id) => `127.0.0.1:${ports.get(id)}`,
    async stop(id) {
      nodes.get(id)!.network.close();
      nodes.delete(id);
    },
    async until(is) {
      const deadline = performance.now() + DEADLINE_MS;
      while (!is()) {
        if (performance.now() > deadline) throw new Error(`not reached in time: ${is}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async close() {
      for (const { network } of nodes.values()) network.close();
    },
  };
}

testNetworkConformance('the gRPC network', open);
