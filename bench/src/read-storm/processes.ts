// The processes of a read storm: what they have answered, and the readers themselves.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ROOT } from '../bench-cluster.js';
import type { ReadersPlan, ReadersReport } from './reader-process.js';

/**
 * Readers and replicas are elsewhere in earnest, on machines of their own: here they only get the CPU that nodes and the
 * writer leave.
 */
export const ELSEWHERE_NICE = 10;

const PROGRAM = fileURLToPath(new URL('reader-process.js', import.meta.url));

export class Readers {
  readonly #child: ChildProcess;
  #report: ReadersReport = { reads: 0, refused: 0 };

  constructor(plan: ReadersPlan) {
    this.#child = fork(PROGRAM);
    setPriority(this.#child.pid!, ELSEWHERE_NICE);
    this.#child.on('message', (report: ReadersReport) => {
      this.#report = report;
    });
    this.#child.send(plan);
  }

  get report(): ReadersReport {
    return this.#report;
  }

  /** Ends them. Rejects if a reader saw what it may not. */
  async stop(): Promise<ReadersReport> {
    if (this.#child.exitCode === null) {
      this.#child.send('stop');
      await once(this.#child, 'exit');
    }
    if (this.#child.exitCode !== 0) throw new Error('a reader failed: see above');
    return this.#report;
  }
}

/** Asks a process for what it has answered. */
export class AnswerCounter {
  readonly #call: () => Promise<number>;

  static ofNode(address: string): AnswerCounter {
    return new AnswerCounter(address, 'ClusterService', 'GetStatus', (status) =>
      Number(status.counters.readsAnswered),
    );
  }

  static ofReplica(address: string): AnswerCounter {
    return new AnswerCounter(address, 'ReplicasService', 'GetReplicaStatus', (status) =>
      Number(status.readsAnswered),
    );
  }

  private constructor(
    address: string,
    service: string,
    method: string,
    // biome-ignore lint/suspicious/noExplicitAny: as proto-loader gives it.
    readsOf: (response: any) => number,
  ) {
    // biome-ignore lint/suspicious/noExplicitAny: the loader's tree of constructors.
    const { v1 } = (loadPackageDefinition(PROTOS) as any).deltabase;
    const client = new v1[service](address, credentials.createInsecure());
    this.#call = () =>
      new Promise((resolve, reject) => {
        client[method](
          {},
          { deadline: Date.now() + 5000 },
          (error: Error | null, response: object) =>
            error === null ? resolve(readsOf(response)) : reject(error),
        );
      });
  }

  /** Reads that it has answered since it was started. */
  reads(): Promise<number> {
    return this.#call();
  }
}

const PROTOS = loadSync(['deltabase/v1/cluster.proto', 'deltabase/v1/replicas.proto'], {
  includeDirs: [`${ROOT}proto`],
  longs: Number,
  defaults: true,
});
