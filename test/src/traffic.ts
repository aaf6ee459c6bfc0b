// How many bytes the nodes of a cluster write and send: the counters of every node, added up over its lives.

import type { ProcessCluster } from '@deltabase/testkit';
import { NodeView } from './node-view.js';
import { sleep } from './scratch.js';

/** Sums over all nodes. What a node did in the last moment before it was killed is not in them. */
export interface Traffic {
  /** Bytes of Raft log entries. */
  readonly logBytes: number;
  /** Bytes of everything that was given to the disks. */
  readonly diskBytes: number;
  /** Bytes that nodes sent to each other. */
  readonly peerBytes: number;
  /** Bytes of messages and answers between clients and nodes. */
  readonly clientBytes: number;
}

interface Life {
  readonly uptimeMs: number;
  readonly traffic: Traffic;
}

const SAMPLE_MS = 50;

/** Samples the counters while it runs, because a node that is killed takes them along. */
export class TrafficMeter {
  readonly #views: readonly NodeView[];
  readonly #present = new Map<NodeView, Life>();
  readonly #past: Traffic[] = [];
  #before: Traffic | undefined;
  #running = true;
  #done: Promise<void> | undefined;

  /** Begins to measure; every node must be up. */
  static async start(cluster: ProcessCluster): Promise<TrafficMeter> {
    const meter = new TrafficMeter(cluster.addresses.map((address) => new NodeView(address)));
    await meter.#sampleAll();
    if (meter.#present.size < cluster.nodes.length) throw new Error('a node tells no counters');
    meter.#before = meter.#sum();
    meter.#done = meter.#run();
    return meter;
  }

  private constructor(views: readonly NodeView[]) {
    this.#views = views;
  }

  /** The sum since the start, with what the nodes say now. */
  async read(): Promise<Traffic> {
    await this.#sampleAll();
    return combine(this.#sum(), this.#before!, (now, before) => now - before);
  }

  /** Samples no more. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    for (const view of this.#views) view.close();
  }

  async #run(): Promise<void> {
    while (this.#running) {
      await this.#sampleAll();
      await sleep(SAMPLE_MS);
    }
  }

  async #sampleAll(): Promise<void> {
    await Promise.all(this.#views.map((view) => this.#sample(view)));
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
    if (before !== undefined && before.uptimeMs > uptimeMs) this.#past.push(before.traffic);
    this.#present.set(view, { uptimeMs, traffic: trafficOf(counters) });
  }

  #sum(): Traffic {
    const lives = [...this.#past, ...[...this.#present.values()].map(({ traffic }) => traffic)];
    return lives.reduce((sum, traffic) => combine(sum, traffic, (a, b) => a + b));
  }
}

function trafficOf(counters: Readonly<Record<string, number>>): Traffic {
  const counter = (name: string): number => {
    const value = counters[name];
    if (value === undefined) throw new Error(`the status of a node has no counter ${name}`);
    return value;
  };
  return {
    logBytes: counter('logBytesWritten'),
    diskBytes: counter('diskBytesWritten'),
    peerBytes: counter('peerBytesSent'),
    clientBytes: counter('clientBytesReceived') + counter('clientBytesSent'),
  };
}

function combine(a: Traffic, b: Traffic, operate: (a: number, b: number) => number): Traffic {
  return {
    logBytes: operate(a.logBytes, b.logBytes),
    diskBytes: operate(a.diskBytes, b.diskBytes),
    peerBytes: operate(a.peerBytes, b.peerBytes),
    clientBytes: operate(a.clientBytes, b.clientBytes),
  };
}
