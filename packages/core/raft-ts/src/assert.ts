// Assertions, on in production: a failed one is a defect of this package or a host that breaks the contract
// of Ready, and the replica must stop before it does harm. raft-ts depends on nothing, so it has its own.

/** Thrown when an invariant of this package does not hold. Never to be caught and survived. */
export class RaftAssertionError extends Error {
  override readonly name = 'RaftAssertionError';
}

/** Throws RaftAssertionError unless `condition` holds. `what` states what should have been true. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new RaftAssertionError(what);
}
