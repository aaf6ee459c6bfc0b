// A node of Deltabase in this process: the engine on its drivers, and the services in front of it.

import type { DeltabaseError } from '@deltabase/base';
import type { Engine, Log, MachineHost } from '@deltabase/engine';
import { type ClientServer, openClientServer } from './client-server.js';
import { type Composition, compose } from './composition.js';
import type { ServerConfig } from './config/server-config.js';
import { VERSION } from './version.js';

export interface ServerOptions {
  readonly log: Log;
  /** Storage failed: the process must end at once. Nothing is acknowledged after this. */
  readonly fatal: (error: DeltabaseError) => void;
  /** The cluster goes on without this node: it serves nothing any more, and the process must end. */
  readonly expelled?: (why: DeltabaseError) => void;
  /** Gives up waiting to join a cluster. */
  readonly signal?: AbortSignal;
  /** What runs machines; WebAssembly unless given. */
  readonly machines?: MachineHost;
}

/** A node that runs. */
export interface Server {
  /** Ports that it listens on: those of the configuration, or the ones that were free. */
  readonly clientPort: number;
  readonly peerPort: number;
  readonly engine: Engine;
  /**
   * Stops in order: health says so, leaderships are handed over, what was taken is answered, streams end
   * with UNAVAILABLE, files are closed. Calling it again waits for the same end.
   */
  stop(): Promise<void>;
}

/** Starts a node. Throws a DeltabaseError that says what to change where it cannot. */
export async function startServer(config: ServerConfig, options: ServerOptions): Promise<Server> {
  const { log, fatal, machines, signal = new AbortController().signal } = options;
  let clients: ClientServer | undefined;
  const composition = await compose({
    ...{ config, log, fatal, signal, ...(machines && { machines }) },
    expelled: (why) => void leave(clients).then(() => options.expelled?.(why)),
  });
  const { engine, network, ports } = composition;
  try {
    clients = await openClientServer({
      engine,
      config,
      log,
      version: VERSION,
      nowMs: () => ports.clock.monotonicMs(),
    });
    const opened = clients;
    const { port: clientPort } = clients;
    const { port: peerPort } = network;
    const own = composition.own(clientPort);
    if (own !== undefined) engine.announce(own);
    log.info('started', { version: VERSION, pid: process.pid, clientPort, peerPort });
    let stopped: Promise<void> | undefined;
    return {
      clientPort,
      peerPort,
      engine,
      stop() {
        stopped ??= stop(opened, composition, log);
        return stopped;
      },
    };
  } catch (thrown) {
    await composition.close();
    throw thrown;
  }
}

/** Clients learn that this node does not serve any more. */
async function leave(clients: ClientServer | undefined): Promise<void> {
  clients?.drain();
  await clients?.close();
}

async function stop(clients: ClientServer, composition: Composition, log: Log): Promise<void> {
  log.info('draining');
  clients.drain();
  await new Promise<void>((resolve) => composition.engine.drain(resolve));
  await clients.close();
  await composition.close();
  log.info('stopped');
}
