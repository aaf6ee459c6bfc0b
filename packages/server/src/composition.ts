// The one place where drivers meet the engine: disk, network, Wasm, clock and randomness of this machine.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DeltabaseError } from '@deltabase/base';
import { type GrpcNetwork, openGrpcNetwork } from '@deltabase/driver-grpc';
import {
  checkFiles,
  type LevelDisk,
  openClassicStore,
  openLevelDisk,
  openWitness,
} from '@deltabase/driver-level';
import { makeSystemClock, makeSystemRandom } from '@deltabase/driver-system';
import { makeWasmHost } from '@deltabase/driver-wasm';
import {
  checkConfig,
  type Engine,
  type EngineConfig,
  type Log,
  type MachineHost,
  type Ports,
  startEngine,
} from '@deltabase/engine';
import type { ServerConfig } from './config/server-config.js';

/** A running engine and what it stands on. */
export interface Composition {
  readonly engine: Engine;
  readonly network: GrpcNetwork;
  readonly ports: Ports;
  /** Stops the engine at once, then lets go of ports and files. */
  close(): Promise<void>;
}

export interface CompositionOptions {
  readonly config: ServerConfig;
  readonly log: Log;
  /** Storage failed: nothing is acknowledged any more, and the process must end. */
  readonly fatal: (error: DeltabaseError) => void;
  /** What runs machines; WebAssembly unless given. */
  readonly machines?: MachineHost;
}

/** Often enough that a disk does not fill up in between (limit diskFreeBytesMin). */
const MEASURE_MS = 2000;

/** Starts the engine of a node. Throws a DeltabaseError where configuration, ports or files do not allow it. */
export async function compose(options: CompositionOptions): Promise<Composition> {
  const { config, log } = options;
  const engineConfig = engineConfigOf(config);
  checkConfig(engineConfig);
  const disk = await openDisk(options);
  try {
    const network = await openNetwork(options);
    try {
      const ports: Ports = {
        clock: makeSystemClock(),
        random: makeSystemRandom(),
        disk,
        network,
        machines: options.machines ?? makeWasmHost({ limits: config.limits }),
        log,
      };
      const engine = await start(ports, engineConfig);
      return { engine, network, ports, close: () => close(engine, network, disk) };
    } catch (thrown) {
      network.close();
      throw thrown;
    }
  } catch (thrown) {
    await disk.close();
    throw thrown;
  }
}

function engineConfigOf(config: ServerConfig): EngineConfig {
  const { cluster, node, groups, timing, limits } = config;
  return { cluster, node, groups, timing, limits, members: config.members.map((m) => m.node) };
}

async function openDisk({ config, log, fatal }: CompositionOptions): Promise<LevelDisk> {
  const { dataDir } = config;
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const why = `the data directory ${dataDir} cannot be made (${reason}): choose another one`;
    throw new DeltabaseError('INVALID_ARGUMENT', why, { cause });
  }
  const directory = join(dataDir, 'store');
  const begunMs = performance.now();
  const { tables, bytes } = await checkFiles(directory);
  log.info('files-checked', { tables, bytes, ms: Math.round(performance.now() - begunMs) });
  const store = await openClassicStore(directory);
  const witness = openWitness(join(dataDir, 'acknowledged'));
  return await openLevelDisk(store, { fatal, witness, measureIntervalMs: MEASURE_MS });
}

async function openNetwork({ config, log }: CompositionOptions): Promise<GrpcNetwork> {
  const { cluster, node, peerListen, members, limits } = config;
  const network = await openGrpcNetwork({ cluster, node, listenAddress: peerListen, limits, log });
  for (const member of members) {
    if (member.node !== node) network.setPeer(member.node, member.peerAddress);
  }
  return network;
}

function start(ports: Ports, config: EngineConfig): Promise<Engine> {
  return new Promise((resolve, reject) => {
    startEngine(ports, config, (started) => {
      if (started instanceof DeltabaseError) reject(started);
      else resolve(started);
    });
  });
}

async function close(engine: Engine, network: GrpcNetwork, disk: LevelDisk): Promise<void> {
  engine.stop();
  network.close();
  await disk.close();
}
