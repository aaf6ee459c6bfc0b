// Deploying a machine: validate the module here, put it into the system group in chunks, make it the next
// version of its space, then wait until every group has made that version its active one. Each step is a
// message like any other, under this node's own session, so a retried step takes effect once.

import { assert, decodeUtf8, encodeBase64 } from '@deltabase/base';
import type { LoadResult, MachineHost } from '../ports.js';
import { type Failure, failure } from '../results.js';
import { type Task, wait } from '../task.js';
import type { MachineRegistry, MachineVersion } from './machine-registry.js';
import { MACHINES_KEY, moduleKey } from './system-machine.js';
import type { SystemSender } from './system-sender.js';

export interface DeployRequest {
  readonly space: string;
  readonly module: Uint8Array;
  /** Refuse unless this is the latest version; 0: none is. */
  readonly expectedVersion: number | undefined;
  readonly principal: string;
  readonly expiresMs: number;
}

export type DeployResult =
  | { readonly kind: 'deployed'; readonly machine: MachineVersion; readonly unchanged: boolean }
  | Failure;

export interface DeploymentHost {
  readonly machines: MachineHost;
  readonly registry: MachineRegistry;
  readonly sender: SystemSender;
  /**
   * Calls `done` once this node knows the version and every group here has it active, or a later one; with
   * `false` if not in time.
   */
  whenActive(space: string, version: number, expiresMs: number, done: (is: boolean) => void): void;
}

const CHUNK_BYTES = 48 * 1024;

/** One deployment. */
export class Deployment {
  readonly #host: DeploymentHost;
  readonly #request: DeployRequest;

  constructor(host: DeploymentHost, request: DeployRequest) {
    this.#host = host;
    this.#request = request;
  }

  /** The whole of it. */
  *run(): Task<DeployResult> {
    const { machines, sender } = this.#host;
    const { space, module, expectedVersion } = this.#request;
    const loaded = yield* wait<LoadResult>((done) => machines.load(module, done));
    if (loaded.kind === 'invalid') return failure('MODULE_INVALID', loaded.message);
    if (loaded.kind === 'busy') return failure('OVERLOADED', loaded.message);
    machines.unload(loaded.machine);
    const hash = machines.digest(module);
    const failed = yield* this.#putModule(hash, module);
    if (failed !== undefined) return failed;
    const result = yield* sender.send(MACHINES_KEY, 'deploy', {
      space,
      hash,
      bytes: module.length,
      manifest: loaded.machine.manifest,
      expected: expectedVersion ?? null,
    });
    if (result.kind === 'failed') return result;
    assert(result.reply !== undefined, 'a deployment has a reply');
    const { version, unchanged } = JSON.parse(decodeUtf8(result.reply)!);
    return yield* this.#awaitActive(version, unchanged);
  }

  *#putModule(hash: string, module: Uint8Array): Task<Failure | undefined> {
    for (let at = 0; at < module.length; at += CHUNK_BYTES) {
      const chunk = String(at / CHUNK_BYTES).padStart(4, '0');
      const data = encodeBase64(module.subarray(at, at + CHUNK_BYTES));
      const put = { chunk, data };
      const result = yield* this.#host.sender.send(moduleKey(hash), 'put_chunk', put);
      if (result.kind === 'failed') return result;
    }
    return undefined;
  }

  /** The deployment is committed; it counts as done when every group here has it active. */
  *#awaitActive(version: number, unchanged: boolean): Task<DeployResult> {
    const { registry } = this.#host;
    const { space, expiresMs } = this.#request;
    const active = yield* wait<boolean>((done) =>
      this.#host.whenActive(space, version, expiresMs, done),
    );
    const machine = registry.get(space, version);
    if (!active) return late(space);
    assert(machine !== undefined, 'a version that is active is known');
    return { kind: 'deployed', machine, unchanged };
  }
}

function late(space: string): Failure {
  return failure(
    'DEADLINE_EXCEEDED',
    `the machine of ${space} is deployed, but not every group has it active yet: ask for it again, or ` +
      'deploy it again, which changes nothing',
  );
}
