// The deployments under way on this node: a few at a time, each answered once.

import type { Limits } from '@deltabase/base';
import type { SessionRef } from '@deltabase/machine';
import { spaceProblem } from '../check-message.js';
import type { Group } from '../groups/group.js';
import { OpenRequests } from '../open-requests.js';
import type { MachineHost } from '../ports.js';
import { type Failure, failure, overloaded, type Submission } from '../results.js';
import type { Tasks } from '../tasks.js';
import {
  Deployment,
  type DeploymentHost,
  type DeployRequest,
  type DeployResult,
} from './deployment.js';
import type { MachineRegistry } from './machine-registry.js';

export interface DeploymentsHost {
  nowMs(): number;
  wallMs(): number;
  readonly limits: Limits;
  readonly machines: MachineHost;
  readonly registry: MachineRegistry;
  /** The document groups. */
  readonly groups: readonly Group[];
  readonly tasks: Tasks;
  /** Begins the names of this life's sessions. */
  readonly sessionPrefix: string;
  submit(submission: Submission): void;
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
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
  #sessions = 0;
  #timers: Timer[] = [];
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
    const deployment = new Deployment(this.#deploymentHost(), request);
    this.#host.tasks.run(deployment.run(), this.#open.add(answer));
  }

  /** A version became active in a group, or known on this node. */
  activated(): void {
    if (this.#waiters.length > 0) this.#settle(this.#host.nowMs());
  }

  tick(nowMs: number): void {
    this.#settle(nowMs);
    const due = this.#timers.filter(({ atMs }) => atMs <= nowMs);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
  }

  close(why: Failure): void {
    this.#open.close(why);
    this.#timers = [];
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

  #deploymentHost(): DeploymentHost {
    const { machines, registry } = this.#host;
    const name = `${this.#host.sessionPrefix}${++this.#sessions}`;
    const session: SessionRef = { name, openedAt: Math.floor(this.#host.wallMs()), settled: 0 };
    return {
      machines,
      registry,
      session,
      nowMs: () => this.#host.nowMs(),
      submit: (submission) => this.#host.submit(submission),
      whenActive: (space, version, expiresMs, done) => {
        this.#waiters.push({ space, version, expiresMs, done });
        this.activated();
      },
      after: (ms, run) => void this.#timers.push({ atMs: this.#host.nowMs() + ms, run }),
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
