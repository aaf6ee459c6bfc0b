// MachinesService: deploying modules, and what is deployed as this node knows it.

import type { Limits } from '@deltabase/base';
import { type Engine, failure, type Log, type MachineVersion } from '@deltabase/engine';
import { checkSpaceName } from '@deltabase/machine';
import type { ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { principalOf } from './principal.js';
import { expiryOf } from './requests.js';
import { type Answer, unary } from './unary.js';

export interface MachinesHost {
  readonly engine: Engine;
  readonly limits: Limits;
  readonly log: Log;
  nowMs(): number;
}

interface DeployRequest {
  readonly space: string;
  readonly module: Uint8Array;
  readonly expectedVersion?: number;
}

interface DeployResponse {
  readonly version: WireMachineVersion;
  readonly unchanged: boolean;
}

interface WireMachineVersion {
  readonly space: string;
  readonly version: number;
  readonly hash: string;
  readonly moduleBytes: number;
  readonly channels: readonly string[];
  readonly deployedAtMs: number;
  readonly principal: string;
}

interface ListMachinesResponse {
  readonly machines: readonly WireMachineVersion[];
}

interface GetMachineRequest {
  readonly space: string;
  readonly version: number;
  readonly includeModule: boolean;
}

interface GetMachineResponse {
  readonly machine: WireMachineVersion;
  readonly versions: readonly WireMachineVersion[];
  readonly module?: Uint8Array;
}

/** The handlers, by method. */
export function machinesHandlers(host: MachinesHost): UntypedServiceImplementation {
  const { log } = host;
  return {
    Deploy: unary<DeployRequest, DeployResponse>(log, (call, answer) => deploy(host, call, answer)),
    ListMachines: unary<unknown, ListMachinesResponse>(log, (_call, answer) => {
      answer.done({ machines: host.engine.registry.list().map(toWire) });
    }),
    GetMachine: unary<GetMachineRequest, GetMachineResponse>(log, (call, answer) =>
      getMachine(host, call.request, answer),
    ),
  };
}

function deploy(
  host: MachinesHost,
  call: ServerUnaryCall<DeployRequest, DeployResponse>,
  answer: Answer<DeployResponse>,
): void {
  const { space, module, expectedVersion } = call.request;
  const principal = principalOf(call);
  const expiresMs = expiryOf(call.getDeadline(), host.nowMs(), host.limits);
  host.engine.deploy({ space, module, expectedVersion, principal, expiresMs }, (result) => {
    if (result.kind === 'failed') {
      answer.failed(result);
      return;
    }
    const { machine, unchanged } = result;
    const { version, hash } = machine;
    if (!unchanged) host.log.info('machine-deployed', { space, version, hash, principal });
    answer.done({ version: toWire(machine), unchanged });
  });
}

function getMachine(
  { engine, limits }: MachinesHost,
  { space, version: asked, includeModule }: GetMachineRequest,
  answer: Answer<GetMachineResponse>,
): void {
  checkSpaceName(space, limits);
  const { registry } = engine;
  const latest = registry.latest(space);
  const machine = registry.get(space, asked || latest);
  if (machine === undefined) {
    const which = asked === 0 ? 'no machine' : `no version ${asked}`;
    answer.failed(failure('SPACE_NOT_FOUND', `${which} of ${space} is known here: list machines`));
    return;
  }
  const versions = Array.from({ length: latest }, (_, at) => registry.get(space, at + 1)!);
  const found = { machine: toWire(machine), versions: versions.map(toWire) };
  if (!includeModule) {
    answer.done(found);
    return;
  }
  engine.module(machine.hash, (module) => {
    if (module !== undefined) answer.done({ ...found, module });
    else answer.failed(failure('UNAVAILABLE', 'this node does not have the module yet: ask again'));
  });
}

function toWire(machine: MachineVersion): WireMachineVersion {
  return {
    space: machine.space,
    version: machine.version,
    hash: machine.hash,
    moduleBytes: machine.bytes,
    channels: machine.manifest.channels,
    deployedAtMs: machine.deployedAt,
    principal: machine.principal,
  };
}
