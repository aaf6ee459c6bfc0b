// How large a tree of replicas must be for a number of watchers, by what one process can bear: its CPU and its network. Pure
// arithmetic; docs/scale.md explains it.

/** What one process of the tree costs and bears. */
export interface Process {
  /** Seconds of CPU to deliver a delta to one watcher, each on a call of its own. */
  readonly deliverSeconds: number;
  /** The same to a replica, over a stream of many watches. */
  readonly feedSeconds: number;
  /** Seconds of CPU to take a delta from upstream: decode, fold, hash. */
  readonly takeSeconds: number;
  /** The part of one CPU that may be in use on average: the rest is for bursts, joins and reads. */
  readonly cpuPart: number;
  /** Bytes a second that it may send. */
  readonly bytesPerSecond: number;
}

export interface Demand {
  readonly watchers: number;
  /** Deltas a second of the document. */
  readonly rate: number;
  /** Bytes of a delta on the wire. */
  readonly deltaBytes: number;
}

/** One level of processes that are alike. */
export interface Level {
  /** `leader`: the node that all deltas come from; `feeders` give to replicas, `leaves` to watchers. */
  readonly kind: 'leader' | 'feeders' | 'leaves';
  readonly processes: number;
  /** Receivers of one process of this level, the most. */
  readonly receivers: number;
  /** Seconds of CPU that one process uses a second. */
  readonly cpu: number;
}

export interface Tree {
  /** From the leader to the leaves. A cluster that bears all watchers itself has one level. */
  readonly levels: readonly Level[];
  /** Seconds of CPU in the whole tree for one delta at one watcher. */
  readonly cpuPerDelivery: number;
}

/** How many receivers one process bears at `seconds` each; 0: it does not even bear to take the deltas. */
export function receiversMax(
  { takeSeconds, cpuPart, bytesPerSecond }: Process,
  { rate, deltaBytes }: Demand,
  seconds: number,
): number {
  const byCpu = (cpuPart / rate - takeSeconds) / seconds;
  const byNetwork = bytesPerSecond / (rate * deltaBytes);
  return Math.max(0, Math.floor(Math.min(byCpu, byNetwork)));
}

/** The smallest tree of even levels. Throws a RangeError for a rate that no process bears. */
export function treeFor(process: Process, demand: Demand): Tree {
  const { watchers } = demand;
  const perLeaf = receiversMax(process, demand, process.deliverSeconds);
  const perFeeder = receiversMax(process, demand, process.feedSeconds);
  if (perLeaf < 1 || perFeeder < 2) {
    throw new RangeError(`no process bears ${demand.rate} deltas a second`);
  }
  const levels: Level[] = [];
  const add = (kind: Level['kind'], processes: number, all: number, seconds: number): void => {
    const receivers = Math.ceil(all / processes);
    const cpu = demand.rate * (process.takeSeconds + receivers * seconds);
    levels.unshift({ kind, processes, receivers, cpu });
  };
  if (watchers <= perLeaf) {
    add('leader', 1, watchers, process.deliverSeconds);
  } else {
    let below = Math.ceil(watchers / perLeaf);
    add('leaves', below, watchers, process.deliverSeconds);
    while (below > perFeeder) {
      const processes = Math.ceil(below / perFeeder);
      add('feeders', processes, below, process.feedSeconds);
      below = processes;
    }
    add('leader', 1, below, process.feedSeconds);
  }
  const cpu = levels.reduce((sum, level) => sum + level.processes * level.cpu, 0);
  return { levels, cpuPerDelivery: cpu / (demand.rate * watchers) };
}
