// Where a log on disk begins. A running node and whoever looks into the data of a stopped one must say the same, so both
// ask here.

/** An entry by its place. */
export interface EntryPlace {
  readonly index: number;
  readonly term: number;
}

/**
 * The entry right before the first that is kept: `first` is the first on disk, `flushed` the last one in the state
 * machine's rows. The entry before the first kept has no term on disk, so the first on disk stands in for it; unless
 * the log begins right behind the snapshot, which tells its own term, or with the very first entry.
 */
export function compactedPlace(first: EntryPlace | undefined, flushed: EntryPlace): EntryPlace {
  if (first === undefined || first.index > flushed.index) return flushed;
  return first.index === 1 ? { index: 0, term: 0 } : first;
}
