// The one place where drivers meet the engine: disk, network, Wasm, clock and randomness of this machine.

import { DeltabaseError } from '@deltabase/base';
import { type GrpcNetwork, openGrpcNetwork } from '@deltabase/driver-grpc';
import {
  type DataDirOptions,
  type LevelDisk,
  makeDirectory,
  openDataDir,
} from '@deltabase/driver-level';
import { makeSystemClock, makeSystemRandom } from '@deltabase/driver-system';
import { makeWasmHost } from '@deltabase/driver-wasm';
import {
  checkConfig,
  DEFAULT_GROUPS,
  type Engine,
  type EngineConfig,
  type Log,
  type MachineHost,
  type Member,
  type NodeRow,
  type Ports,
  readNodeRow,
  runTask,
  startEngine,
} from '@deltabase/engine';
import { withPort } from './config/members.js';
import type { ServerConfig } from './config/server-config.js';
import { awaitMembership, refuseToBeAlone } from './join.js';

/** A running engine and what it stands on. */
export interface Composition {
  readonly engine: Engine;
  readonly network: GrpcNetwork;
  readonly ports: Ports;
  /** Where this node is, for others to know, once it is known where clients reach it; `undefined`: as they know. */
  own(clientPort: number): Member | undefined;
  /** Stops the engine at once, then lets go of ports and files. */
  close(): Promise<void>;
}

export interface CompositionOptions {
  readonly config: ServerConfig;
  readonly log: Log;
  /** Storage failed: nothing is acknowledged any more, and the process must end. */
  readonly fatal: (error: DeltabaseError) => void;
  /** The cluster has made this node one that is no more of it: nothing is served any more, the process must end. */
  readonly expelled: (why: DeltabaseError) => void;
  /** Gives up waiting to join. */
  readonly signal: AbortSignal;
  /** What runs machines; WebAssembly unless given. */
  readonly machines?: MachineHost;
}

/** Often enough that a disk does not fill up in between (limit diskFreeBytesMin). */
const MEASURE_MS = 2000;

/** Starts the engine of a node. Throws a DeltabaseError where configuration, ports or files do not allow it. */
export async function compose(options: CompositionOptions): Promise<Composition> {
  const { config, log } = options;
  const { cluster, node, timing, limits } = config;
  const base = { cluster, node, timing, limits };
  checkConfig({ ...base, groups: config.groups ?? DEFAULT_GROUPS, members: config.members });
  const disk = await openDisk(options);
  try {
    const row = await nodeRowOf(disk);
    const place = await placeOf(options, row);
    const known = [...place.members, ...(row?.members ?? [])];
    const network = await openNetwork(config, log, known);
    try {
      const ports: Ports = {
        clock: makeSystemClock(),
        random: makeSystemRandom(),
        disk,
        network,
        machines: options.machines ?? makeWasmHost({ limits }),
        log,
      };
      const engine = await start(ports, { ...base, ...place }, options.expelled);
      const own = (clientPort: number): Member | undefined =>
        ownPlace(config, row, { clientPort, peerPort: network.port });
      return { engine, network, ports, own, close: () => close(engine, network, disk) };
    } catch (thrown) {
      network.close();
      throw thrown;
    }
  } catch (thrown) {
    await disk.close();
    throw thrown;
  }
}

type NodePlace = Pick<EngineConfig, 'members' | 'join' | 'groups'>;

/** What a node begins with: its data, a cluster that it joins, or the cluster that its configuration founds. */
async function placeOf(
  { config, log, signal }: CompositionOptions,
  row: NodeRow | undefined,
): Promise<NodePlace> {
  const { node, listen, peerListen, members } = config;
  if (row !== undefined) {
    await refuseToBeAlone(config, row);
    return { members, groups: config.groups ?? row.groups };
  }
  if (config.join.length > 0) {
    const { groups, ...cluster } = await awaitMembership(config, { log, signal });
    return { ...cluster, groups: config.groups ?? groups };
  }
  const alone = [{ node, peerAddress: peerListen, clientAddress: listen }];
  const founders = members.length === 0 ? alone : members;
  return { members: founders, groups: config.groups ?? DEFAULT_GROUPS };
}

/** By configuration: as its own member, or where it listens if it is alone. */
function ownPlace(
  { node, listen, peerListen, members, join }: ServerConfig,
  row: NodeRow | undefined,
  { clientPort, peerPort }: { readonly clientPort: number; readonly peerPort: number },
): Member | undefined {
  const isAlone = members.length === 0 && join.length === 0 && (row?.members.length ?? 1) === 1;
  const alone = isAlone ? { node, peerAddress: peerListen, clientAddress: listen } : undefined;
  const own = members.find((member) => member.node === node) ?? alone;
  return (
    own && {
      node,
      peerAddress: withPort(own.peerAddress, peerPort),
      clientAddress: withPort(own.clientAddress, clientPort),
    }
  );
}

function nodeRowOf(disk: LevelDisk): Promise<NodeRow | undefined> {
  return new Promise((resolve, reject) => {
    runTask(readNodeRow(disk), (step) => void setImmediate(step), resolve, reject);
  });
}

/** Where other nodes reach this one: as the members say, or else where it listens. */
function ownAddress({ node, peerListen }: ServerConfig, members: readonly Member[]): string {
  return members.find((member) => member.node === node)?.peerAddress ?? peerListen;
}

async function openDisk({ config, log, fatal }: CompositionOptions): Promise<LevelDisk> {
  const { dataDir } = config;
  try {
    await makeDirectory(dataDir);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const why = `the data directory ${dataDir} cannot be made (${reason}): choose another one`;
    throw new DeltabaseError('INVALID_ARGUMENT', why, { cause });
  }
  const begunMs = performance.now();
  const checked: DataDirOptions['checked'] = ({ tables, bytes }) =>
    log.info('files-checked', { tables, bytes, ms: Math.round(performance.now() - begunMs) });
  return await openDataDir(dataDir, { fatal, checked, measureIntervalMs: MEASURE_MS });
}

function openNetwork(
  config: ServerConfig,
  log: Log,
  members: readonly Member[],
): Promise<GrpcNetwork> {
  const { cluster, node, peerListen, limits } = config;
  const address = ownAddress(config, members);
  return openGrpcNetwork({ cluster, node, listenAddress: peerListen, address, limits, log });
}

function start(
  ports: Ports,
  config: EngineConfig,
  expelled: (why: DeltabaseError) => void,
): Promise<Engine> {
  return new Promise((resolve, reject) => {
    const started = (engine: Engine | DeltabaseError): void => {
      if (engine instanceof DeltabaseError) reject(engine);
      else resolve(engine);
    };
    startEngine(ports, config, started, expelled);
  });
}

async function close(engine: Engine, network: GrpcNetwork, disk: LevelDisk): Promise<void> {
  engine.stop();
  network.close();
  await disk.close();
}
