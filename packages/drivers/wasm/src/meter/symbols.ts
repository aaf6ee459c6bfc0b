// Names for what the meter adds to a module: two globals, flags, and functions that inserted code calls.
// All indices lie behind the module's own, so nothing of it is renumbered.

/** Indices of the meter's globals and functions, and the types of its blocks. */
export interface MeterSymbols {
  /** Global: fuel left; below zero once it ran out. */
  readonly fuel: number;
  /** Global: bytes of stack left; below zero once it overflowed. */
  readonly stack: number;
  /** Global: bits of `Flag`. */
  readonly flags: number;
  /** (pages) -> memory.grow's result, charged. */
  readonly grow: number;
  /** (length) -> length, charged as bytes of memory. */
  readonly chargeBytes: number;
  /** (length) -> length, charged as elements of a table. */
  readonly chargeElements: number;
  /** () -> (): raises Flag.dirty. */
  readonly markDirty: number;
  /** Index of the type () -> results, for blocks with several results. */
  blockType(results: readonly number[]): number;
}

/** What the flags global tells of a message. */
export const Flag = {
  /** A table changed, a segment was dropped or memory grew: the instance cannot be restored. */
  dirty: 1,
  /** A growth of memory was refused. */
  growRefused: 2,
} as const;

/** Names under which the meter exports its functions; a module may not use the prefix itself. */
export const RESERVED_PREFIX = 'deltabase.';
export const MeterExport = {
  /** (fuel, stack) -> (): sets both, clears the flags. */
  enter: 'deltabase.enter',
  /** () -> (): copies the mutable globals into their shadows; and back. */
  capture: 'deltabase.capture',
  restore: 'deltabase.restore',
  /** () -> i32: fuel left, stack left, flags. */
  fuel: 'deltabase.fuel',
  stack: 'deltabase.stack',
  flags: 'deltabase.flags',
  /** (units) -> (): charges from outside; traps when fuel runs out. */
  charge: 'deltabase.charge',
  /** The start function, where the module had one. */
  start: 'deltabase.start',
} as const;
