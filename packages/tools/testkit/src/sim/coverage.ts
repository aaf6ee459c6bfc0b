// Counts what happens in runs, by what it is: a set of runs that never saw something proves nothing about it.

export class Coverage {
  readonly #counts = new Map<string, number>();

  count(what: string, times = 1): void {
    if (times > 0) this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  add(counts: Readonly<Record<string, number>>): void {
    for (const [what, times] of Object.entries(counts)) this.count(what, times);
  }

  /** By name. */
  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Log lines and answers that tell of something that runs are there to see. */
const SIGNS: ReadonlyArray<readonly [string, string]> = [
  ['a change did not fit the configuration', ' configuration-refused '],
  ['a change had to wait', ' configuration-waits '],
  ['a joint configuration was left', '"leave the joint one"'],
  ['a leader that leaves handed over', '"hand over to '],
  ['a learner was added to a group', '"addLearner '],
  ['a copy was found damaged', ' copy-damaged '],
  ['a disk stalled for so long that its node led no more', ' disk-stalled '],
  ['a group fell asleep', ' debug asleep '],
  ['a group woke for a message', '"why":"message"'],
  ['a group woke for what was to be done', '"why":"unrest"'],
  ['a group woke since its leader was lost', '"why":"leader-lost"'],
  ['a message was answered DEADLINE_EXCEEDED', ' DEADLINE_EXCEEDED '],
  ['a message was answered OUT_OF_ORDER', ' OUT_OF_ORDER '],
  ['a message was answered OVERLOADED', ' OVERLOADED '],
  ['a message was answered UNAVAILABLE', ' UNAVAILABLE '],
  ['a message was trapped', ' TRAPPED '],
  ['a node had little room on its disk', ' disk-low '],
  ['a node noticed that its wall clock was wrong', ' clock-wrong '],
  ['a node refused a peer', ' peer-refused '],
  ['a circle of replicas was found out', ' upstream-circle '],
  ['a frame could not be read', ' bad-frame '],
  ['a replica found what came unfit', ' copy-unfit '],
  ['a replica had no upstream', ' no-upstream '],
  ['a replica lost its upstream', ' upstream-left '],
  ['voters were exchanged by a joint configuration', ', remove '],
];

/** What a line of a run's log is a sign of. */
export function signsIn(line: string): string[] {
  return SIGNS.filter(([, sign]) => line.includes(sign)).map(([what]) => what);
}
