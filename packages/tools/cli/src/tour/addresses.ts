// Where the nodes of the tour listen: ports in a row on loopback, two for each node; and whether they are free.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { DeltabaseError } from '@deltabase/base';

export const NODES = 3;
/** One for clients, one for the other nodes. */
export const PORTS_PER_NODE = 2;
const HOST = '127.0.0.1';

export interface NodeAddress {
  readonly node: number;
  readonly client: string;
  readonly peer: string;
}

/** The addresses of all nodes, the first with `port` for clients. */
export function addressesFrom(port: number): readonly NodeAddress[] {
  return Array.from({ length: NODES }, (_, at) => {
    const first = port + at * PORTS_PER_NODE;
    return { node: at + 1, client: `${HOST}:${first}`, peer: `${HOST}:${first + 1}` };
  });
}

/** The ports on which nothing can listen, with the reason that the system gives. */
export async function blockedPorts(port: number): Promise<{ port: number; reason: string }[]> {
  const ports = Array.from({ length: NODES * PORTS_PER_NODE }, (_, at) => port + at);
  const reasons = await Promise.all(ports.map(reasonAgainst));
  return ports
    .map((each, at) => ({ port: each, reason: reasons[at] ?? '' }))
    .filter(({ reason }) => reason !== '');
}

/** Throws UNAVAILABLE unless the nodes can listen. */
export async function checkPorts(port: number): Promise<void> {
  const [blocked] = await blockedPorts(port);
  if (blocked === undefined) return;
  const inUse = blocked.reason === 'EADDRINUSE';
  const why = inUse ? 'is in use by another process' : `cannot be used (${blocked.reason})`;
  throw new DeltabaseError(
    'UNAVAILABLE',
    `port ${blocked.port} ${why}: ${inUse ? 'stop that one, or choose' : 'choose'} other ports with ` +
      `npm start -- --port ${port < 50_000 ? port + 1000 : port - 1000}`,
  );
}

/** `undefined`: the port is free. */
async function reasonAgainst(port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen(port, HOST);
    await once(server, 'listening');
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? String(thrown);
  }
  await once(server.close(), 'close');
  return undefined;
}
