// Holds processes to a share of a core each (Linux control groups, version 1 or 2): servers that share the cores of one machine
// then have as much each as if they were on machines of their own, and what one has no use for the others do not get.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The kernel gives each process its share in every such interval, microseconds. */
const PERIOD_US = 10_000;

interface Controller {
  /** Where groups are made. */
  readonly root: string;
  limit(group: string, share: number): void;
}

const VERSION_1: Controller = {
  root: '/sys/fs/cgroup/cpu',
  limit(group, share) {
    writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD_US));
    writeFileSync(join(group, 'cpu.cfs_quota_us'), String(Math.round(PERIOD_US * share)));
  },
};

const VERSION_2: Controller = {
  root: '/sys/fs/cgroup',
  limit(group, share) {
    writeFileSync(join(group, 'cpu.max'), `${Math.round(PERIOD_US * share)} ${PERIOD_US}`);
  },
};

export class CpuShares {
  readonly #controller: Controller;
  readonly #share: number;
  readonly #groups: string[] = [];

  /** `undefined`: this machine has no such control groups, or not for us. `share`: of a core. */
  static open(share: number): CpuShares | undefined {
    for (const controller of controllers()) {
      const shares = new CpuShares(controller, share);
      try {
        shares.#make();
        return shares;
      } catch {
        // Mostly it is not ours to write: the next one, or none.
        shares.close();
      }
    }
    return undefined;
  }

  private constructor(controller: Controller, share: number) {
    this.#controller = controller;
    this.#share = share;
  }

  /** From now on the process has so much and no more, until it ends. */
  hold(pid: number): void {
    writeFileSync(join(this.#make(), 'cgroup.procs'), String(pid));
  }

  /** Once the processes have ended. A group that cannot be removed is told of, and stays. */
  close(): void {
    for (const group of this.#groups) {
      try {
        if (existsSync(group)) rmdirSync(group);
      } catch (thrown) {
        console.error(`${group} is left behind: ${String(thrown)}`);
      }
    }
  }

  #make(): string {
    const group = join(
      this.#controller.root,
      `deltabase-bench-${process.pid}-${this.#groups.length}`,
    );
    mkdirSync(group);
    this.#groups.push(group);
    this.#controller.limit(group, this.#share);
    return group;
  }
}

/** Those that the machine has, at the usual places. */
function controllers(): Controller[] {
  const found: Controller[] = [];
  if (existsSync(join(VERSION_1.root, 'cpu.cfs_quota_us'))) found.push(VERSION_1);
  const enabled = join(VERSION_2.root, 'cgroup.subtree_control');
  if (existsSync(enabled) && readFileSync(enabled, 'utf8').split(/\s/).includes('cpu')) {
    found.push(VERSION_2);
  }
  return found;
}
