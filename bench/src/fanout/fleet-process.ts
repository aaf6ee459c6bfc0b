// The watchers of one value, in a process of their own: their CPU time is apart from everybody else's. Opens them, notes
// when each version reaches each of them, and tells its parent.

import type { Client } from '@grpc/grpc-js';
import { connectRaw } from '../raw/raw-calls.js';
import { valueInDelta, watchDeltabase, watchManyOfDeltabase } from './deltabase-watches.js';
import { valueIn } from './etcd-protocol.js';
import { watchEtcd } from './etcd-watches.js';
import type { FleetAnswer, FleetOrder, FleetPlan, Lateness } from './fleet.js';
import { monotonicMs } from './monotonic.js';
import type { WatchListener } from './watched.js';
import { type ValueFinder, Window } from './window.js';

const POLL_MS = 5;

class Watcher implements WatchListener {
  /** The last version that came; `undefined`: it has not begun. */
  version: number | undefined;
  last: Uint8Array = new Uint8Array();
  failure: Error | undefined;
  readonly #window: Window;
  readonly #number: number;

  constructor(window: Window, number: number) {
    this.#window = window;
    this.#number = number;
  }

  began(version: number): void {
    this.version = version;
  }

  received(version: number, event: Uint8Array): void {
    // Begun "from now on": the first tells where that was.
    if (this.version !== 0 && version !== this.version! + 1) {
      this.failed(new Error(`version ${version} after ${this.version}`));
    }
    this.version = version;
    this.last = event;
    this.#window.note(this.#number, { version, event, atMs: monotonicMs() });
  }

  failed(why: Error): void {
    this.failure ??= why;
  }
}

class Fleet {
  readonly #plan: FleetPlan;
  readonly #find: ValueFinder;
  readonly #window: Window;
  readonly #watchers: readonly Watcher[];

  constructor(plan: FleetPlan) {
    this.#plan = plan;
    this.#find = plan.place.system === 'etcd' ? valueIn : valueInDelta;
    const window = new Window(plan.watchers, this.#find);
    this.#window = window;
    this.#watchers = Array.from({ length: plan.watchers }, (_, n) => new Watcher(window, n));
  }

  /** Opens all of them, over the connections in turn. */
  async open(): Promise<void> {
    const { place, connections } = this.#plan;
    const clients = Array.from({ length: connections }, (_, n) =>
      connectRaw(place.addresses[n % place.addresses.length]!),
    );
    for (const [n, client] of clients.entries()) {
      this.#watch(
        client,
        this.#watchers.filter((_, watcher) => watcher % connections === n),
      );
    }
    await this.#until(({ version }) => version !== undefined);
  }

  begin(first: number, count: number): void {
    this.#window.begin(first, count);
  }

  async reached(version: number): Promise<void> {
    await this.#until((watcher) => watcher.version! >= version);
  }

  report(sentMs: readonly number[]): Lateness {
    return this.#window.lateness(sentMs);
  }

  /** What the watchers have: one value, unless they differ. */
  values(): string[] {
    return [...new Set(this.#watchers.map(({ last }) => this.#find(last)))];
  }

  #watch(client: Client, watchers: readonly Watcher[]): void {
    const { place, shareStreams } = this.#plan;
    if (place.system === 'deltabase') {
      if (shareStreams) watchManyOfDeltabase(client, place, watchers);
      else watchDeltabase(client, place, watchers);
    } else if (shareStreams) watchEtcd(client, place.key, watchers);
    else for (const watcher of watchers) watchEtcd(client, place.key, [watcher]);
  }

  async #until(condition: (watcher: Watcher) => boolean): Promise<void> {
    while (!this.#watchers.every(condition)) {
      const failed = this.#watchers.find(({ failure }) => failure !== undefined);
      if (failed !== undefined) throw failed.failure;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

let fleet: Fleet;

async function obey(order: FleetOrder): Promise<FleetAnswer> {
  switch (order.kind) {
    case 'open':
      fleet = new Fleet(order.plan);
      await fleet.open();
      return { kind: 'done' };
    case 'begin':
      fleet.begin(order.first, order.count);
      return { kind: 'done' };
    case 'reach':
      await fleet.reached(order.version);
      return { kind: 'done' };
    case 'report':
      return { kind: 'report', lateness: fleet.report(order.sentMs), values: fleet.values() };
  }
}

process.on('message', (order: FleetOrder) => {
  obey(order).then(
    (answer) => process.send!(answer),
    (why: unknown) => process.send!({ kind: 'failed', why: String(why) } satisfies FleetAnswer),
  );
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
