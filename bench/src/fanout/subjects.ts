// The watched value in each system: a document of ours, a key of etcd.

import type { DocumentHandle } from '@deltabase/client';
import { type BenchCluster, benchModule } from '../bench-cluster.js';
import type { EtcdClient } from './etcd-client.js';
import type { EtcdCluster } from './etcd-cluster.js';
import type { Place, Watched } from './watched.js';

const SPACE = 'register';

/** A document of bench/machines/register. */
export class WatchedDocument implements Watched {
  readonly pids: readonly number[];
  readonly place: Place;
  readonly #document: DocumentHandle<{ value: string }>;

  /** Deploys the machine, for all documents. */
  static async deploy({ client }: BenchCluster): Promise<void> {
    await client.machines.deploy(SPACE, await benchModule('register'));
  }

  constructor({ cluster, client }: BenchCluster, key: string) {
    this.pids = cluster.nodes.map(({ pid }) => pid!);
    this.place = { system: 'deltabase', addresses: cluster.addresses, space: SPACE, key };
    this.#document = client.document(SPACE, key);
  }

  async write(value: string): Promise<void> {
    await this.#document.send('put', { value });
  }

  async read(): Promise<{ version: number; value: string }> {
    const { seq, value } = await this.#document.get();
    return { version: seq, value: value.value };
  }
}

/** A key of etcd. */
export class WatchedKey implements Watched {
  readonly pids: readonly number[];
  readonly place: Place;
  readonly #client: EtcdClient;

  constructor({ pids, addresses, client }: EtcdCluster, key: string) {
    this.pids = pids;
    this.place = { system: 'etcd', addresses, space: '', key };
    this.#client = client;
  }

  write(value: string): Promise<void> {
    return this.#client.put(this.place.key, value);
  }

  read(): Promise<{ version: number; value: string }> {
    return this.#client.read(this.place.key);
  }
}
