// grpc.health.v1: a node serves while it runs, does not drain, and every group has a leader that it knows; a replica
// while it has a way to the cluster.

import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

export interface HealthHost {
  /** Names of the services that are offered. */
  readonly services: readonly string[];
  /** Whether they can be used now. */
  canServe(): boolean;
  /** Calls `listener` when that may have changed. */
  listen(listener: () => void): void;
}

export class Health {
  readonly #host: HealthHost;
  readonly #implementation = new HealthImplementation();
  #isDraining = false;

  constructor(host: HealthHost) {
    this.#host = host;
    this.#tell();
    host.listen(() => this.#tell());
  }

  addTo(server: Server): void {
    this.#implementation.addToServer(server);
  }

  get isServing(): boolean {
    return !this.#isDraining && this.#host.canServe();
  }

  /** It does not serve from now on. */
  drain(): void {
    this.#isDraining = true;
    this.#tell();
  }

  /** The whole server is the service ''. */
  #tell(): void {
    const status = this.isServing ? 'SERVING' : 'NOT_SERVING';
    for (const name of ['', ...this.#host.services]) {
      this.#implementation.setStatus(name, status);
    }
  }
}
