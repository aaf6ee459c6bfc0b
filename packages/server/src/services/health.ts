// grpc.health.v1: a node serves while it runs, does not drain, and every group has a leader that it knows.

import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Leaders } from './leaders.js';
import { SERVICE_NAMES } from './protos.js';

export class Health {
  readonly #leaders: Leaders;
  readonly #implementation = new HealthImplementation();
  #isDraining = false;

  constructor(leaders: Leaders) {
    this.#leaders = leaders;
    this.#tell();
    leaders.listen(() => this.#tell());
  }

  addTo(server: Server): void {
    this.#implementation.addToServer(server);
  }

  get isServing(): boolean {
    return !this.#isDraining && this.#leaders.all.every((leader) => leader !== 0);
  }

  /** It does not serve from now on. */
  drain(): void {
    this.#isDraining = true;
    this.#tell();
  }

  /** The whole server is the service ''. */
  #tell(): void {
    const status = this.isServing ? 'SERVING' : 'NOT_SERVING';
    for (const name of ['', ...SERVICE_NAMES]) this.#implementation.setStatus(name, status);
  }
}
