// How many bytes the nodes of a cluster write and send: the counters of every node, added up over its lives.

import type { ProcessCluster } from '@deltabase/testkit';
import { NodeView } from './node-view.js';
import { sleep } from './scratch.js';

export interface Traffic {
  /** Bytes of Raft log entries, over all nodes. */
  readonly logBytes: number;
  /** Bytes of everything that was given to the disks. */
  readonly diskBytes: number;
  /** Bytes that nodes sent to each other. */
  readonly networkBytes: number;
}

interface Life {
  readonly uptimeMs: number;
  readonly traffic: Traffic;
}

const SAMPLE_MS = 100;
const NOTHING: Traffic = { logBytes: 0, diskBytes: 0, networkBytes: 0 };

/** Samples the counters while it runs, because a node that is killed takes them along. */
export class TrafficMeter {
  readonly #views: readonly NodeView[];
  readonly #present = new Map<NodeView, Life>();
  #past = NOTHING;
  #running = true;
  readonly #done: Promise<void>;

  constructor(cluster: ProcessCluster) {
    this.#views = cluster.addresses.map((address) => new NodeView(address));
    this.#done = this.#run();
  }

  /** Stops sampling, and gives the sum. */
  async end(): Promise<Traffic> {
    this.#running = false;
    await this.#done;
    await Promise.all(this.#views.map((view) => this.#sample(view)));
    for (const view of this.#views) view.close();
    return [...this.#present.values()].reduce((sum, { traffic }) => add(sum, traffic), this.#past);
  }

  async #run(): Promise<void> {
    while (this.#running) {
      await Promise.all(this.#views.map((view) => this.#sample(view)));
      await sleep(SAMPLE_MS);
    }
  }

  async #sample(view: NodeView): Promise<void> {
    let report: Awaited<ReturnType<NodeView['status']>>;
    try {
      report = await view.status();
    } catch {
      return; // It is down, which is what this is made for; its last sample stands.
    }
    const { uptimeMs, counters } = report;
    const before = this.#present.get(view);
    if (before !== undefined && before.uptimeMs > uptimeMs) {
      this.#past = add(this.#past, before.traffic);
    }
    const traffic = {
      logBytes: counters['logBytesWritten'] ?? 0,
      diskBytes: counters['diskBytesWritten'] ?? 0,
      networkBytes: counters['peerBytesSent'] ?? 0,
    };
    this.#present.set(view, { uptimeMs, traffic });
  }
}

function add(a: Traffic, b: Traffic): Traffic {
  return {
    logBytes: a.logBytes + b.logBytes,
    diskBytes: a.diskBytes + b.diskBytes,
    networkBytes: a.networkBytes + b.networkBytes,
  };
}
