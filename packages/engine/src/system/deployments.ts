// The deployments under way on this node: a few at a time, each answered once.

import type { Limits } from '@deltabase/base';
import { spaceProblem } from '../check-message.js';
import type { Group } from '../groups/group.js';
import { OpenRequests } from '../open-requests.js';
import type { MachineHost } from '../ports.js';
import { type Failure, failure, overloaded } from '../results.js';
import type { Tasks } from '../tasks.js';
import {
  Deployment,
  type DeploymentHost,
  type DeployRequest,
  type DeployResult,
} from './deployment.js';
import type { MachineRegistry } from './machine-registry.js';
import type { SystemSenders } from './system-sender.js';

export interface DeploymentsHost {
  nowMs(): number;
  readonly limits: Limits;
  readonly machines: MachineHost;
  readonly registry: MachineRegistry;
  /** The document groups. */
  readonly groups: readonly Group[];
  readonly tasks: Tasks;
  readonly senders: SystemSenders;
}

interface Waiter {
  readonly space: string;
  readonly version: number;
  readonly expiresMs: number;
  readonly done: (is: boolean) => void;
}

/** Each holds a module in memory. */
const DEPLOYMENTS_MAX = 16;

export class Deployments {
  readonly #host: DeploymentsHost;
  readonly #open = new OpenRequests();
  #waiters: Waiter[] = [];

  constructor(host: DeploymentsHost) {
    this.#host = host;
  }

  deploy(request: DeployRequest, answer: (result: DeployResult) => void): void {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      answer(refusal);
      return;
    }
    const deployment = new Deployment(this.#deploymentHost(request), request);
    this.#host.tasks.run(deployment.run(), this.#open.add(answer));
  }

  /** A version became active in a group, or known on this node. */
  activated(): void {
    if (this.#waiters.length > 0) this.#settle(this.#host.nowMs());
  }

  tick(nowMs: number): void {
    this.#settle(nowMs);
  }

  close(why: Failure): void {
    this.#open.close(why);
    this.#waiters = [];
  }

  #refusal({ space, module }: DeployRequest): Failure | undefined {
    const { limits } = this.#host;
    if (this.#open.count >= DEPLOYMENTS_MAX) {
      const why = `${DEPLOYMENTS_MAX} machines are being deployed here: deploy one after the other`;
      return overloaded(why);
    }
    if (module.length <= limits.moduleBytesMax) return spaceProblem(space, limits);
    const why = `the module has ${module.length} bytes, ${limits.moduleBytesMax} are allowed`;
    return failure('MODULE_INVALID', why);
  }

  #deploymentHost({ principal, expiresMs: untilMs }: DeployRequest): DeploymentHost {
    const { machines, registry, senders } = this.#host;
    return {
      machines,
      registry,
      sender: senders.make({ principal, expiresMs: untilMs }),
      whenActive: (space, version, expiresMs, done) => {
        this.#waiters.push({ space, version, expiresMs, done });
        this.activated();
      },
    };
  }

  #settle(nowMs: number): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (this.#isActive(waiter)) waiter.done(true);
      else if (waiter.expiresMs <= nowMs) waiter.done(false);
      else this.#waiters.push(waiter);
    }
  }

  #isActive({ space, version }: Waiter): boolean {
    // The system group may be behind the others here: then what is active cannot be told of yet.
    if (this.#host.registry.latest(space) < version) return false;
    return this.#host.groups.every((group) => (group.activeVersion(space) ?? 0) >= version);
  }
}
