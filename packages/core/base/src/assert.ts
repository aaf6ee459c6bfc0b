// Assertions for programming errors. They stay on in production: a failed one means that the process
// no longer knows what it is doing, so it must stop (docs/errors.md, "bug"). Never caught on purpose.

/** Thrown by `assert` and `unreachable`; a defect of Deltabase itself, never of its input. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws AssertionError unless `condition` holds. `what` states what should have been true. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(what);
}

/** Marks code that a closed union makes unreachable; throws AssertionError if it is reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value: ${JSON.stringify(value)}`);
}
