// Machines as callers see them: deploy, list, get.

import { DeltabaseError } from '@deltabase/base';
import type { ClientLimits } from './limits.js';
import { type CallOptions, timeoutOf } from './options.js';
import type { Attempts, Try } from './reading/attempts.js';
import type { WireMachineVersion } from './transport/wire.js';

/** One deployed version of a space's machine. */
export interface MachineVersion {
  readonly space: string;
  /** From 1. */
  readonly version: number;
  /** SHA-256 of the module, hexadecimal. */
  readonly hash: string;
  readonly moduleBytes: number;
  readonly channels: readonly string[];
  /** Milliseconds since 1970. */
  readonly deployedAt: number;
  readonly principal: string;
}

export interface DeployOptions extends CallOptions {
  /** Deploy only if this is the latest version; 0: only if there is none. Fails with VERSION_CONFLICT. */
  readonly expectedVersion?: number;
}

export interface DeployResult {
  readonly version: MachineVersion;
  /** Whether this module was the latest version already: nothing was changed. */
  readonly unchanged: boolean;
}

export interface GetMachineOptions extends CallOptions {
  /** The latest by default. */
  readonly version?: number;
  /** Whether to give the module too. */
  readonly includeModule?: boolean;
}

export interface MachineInfo {
  readonly machine: MachineVersion;
  /** All versions, oldest first. */
  readonly versions: readonly MachineVersion[];
  /** The WebAssembly binary, if it was asked for. */
  readonly module: Uint8Array | undefined;
}

export interface MachinesHost {
  readonly limits: ClientLimits;
  readonly attempts: Attempts;
}

/** The machines of a cluster; `Client.machines`. */
export class Machines {
  readonly #host: MachinesHost;

  constructor(host: MachinesHost) {
    this.#host = host;
  }

  /**
   * Makes `module` the machine of `space`: messages sent after this resolves run it. A retry is safe, for a
   * module that is the latest version already changes nothing. Rejects with MODULE_INVALID.
   */
  async deploy(
    space: string,
    module: Uint8Array,
    options: DeployOptions = {},
  ): Promise<DeployResult> {
    const { expectedVersion, signal } = options;
    const request = {
      space,
      module,
      ...(expectedVersion === undefined ? {} : { expectedVersion }),
    };
    const { version, unchanged } = await this.#run(options, (link, timeoutMs) =>
      link
        .call('Deploy', request, { timeoutMs, signal })
        .catch((thrown: unknown) => refuseModule(thrown, module)),
    );
    return { version: versionOf(version), unchanged };
  }

  /** The latest version of each space's machine, by name. */
  async list(options: CallOptions = {}): Promise<readonly MachineVersion[]> {
    const { signal } = options;
    const { machines } = await this.#run(options, (link, timeoutMs) =>
      link.call('ListMachines', {}, { timeoutMs, signal }),
    );
    return machines.map(versionOf);
  }

  /** One machine with all its versions. Rejects with SPACE_NOT_FOUND. */
  async get(space: string, options: GetMachineOptions = {}): Promise<MachineInfo> {
    const { version = 0, includeModule = false, signal } = options;
    const request = { space, version, includeModule };
    const { machine, versions, module } = await this.#run(options, (link, timeoutMs) =>
      link.call('GetMachine', request, { timeoutMs, signal }),
    );
    return {
      machine: versionOf(machine),
      versions: versions.map(versionOf),
      module: includeModule ? module : undefined,
    };
  }

  #run<T>(options: CallOptions, once: Try<T>): Promise<T> {
    const timeoutMs = timeoutOf(options, this.#host.limits);
    return this.#host.attempts.run({ timeoutMs, signal: options.signal }, {}, once);
  }
}

/** A module far beyond the limit never reaches those who would say so. */
function refuseModule(thrown: unknown, { length }: Uint8Array): never {
  const { bytesMax } = thrown instanceof DeltabaseError ? thrown.details : {};
  if (bytesMax === undefined) throw thrown;
  const why = `the module has ${length} bytes, and a node takes no message of more than ${bytesMax}`;
  throw new DeltabaseError('MODULE_INVALID', why, { cause: thrown });
}

function versionOf(version: WireMachineVersion | null): MachineVersion {
  if (version === null) throw new DeltabaseError('INTERNAL', 'the node left the machine out');
  const { deployedAtMs: deployedAt, ...rest } = version;
  return { ...rest, deployedAt };
}
