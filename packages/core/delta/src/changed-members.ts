// The members in which two objects differ, found by what their trees do not share: the work grows with what
// changed, not with the objects.

import { Cursor, stepTogether } from './cursor.js';
import type { ObjectValue, Slot } from './value.js';

/** A member that one of two objects lacks, or that both have, perhaps with another value. */
export interface ChangedMember {
  readonly name: string;
  /** `undefined`: it is not there. */
  readonly before: Slot | undefined;
  readonly after: Slot | undefined;
}

/** The members that may differ, in the order of their names; values that are equal and not shared are among them. */
export function* changedMembers(
  before: ObjectValue,
  after: ObjectValue,
): Generator<ChangedMember, void, void> {
  const left = new Cursor(before);
  const right = new Cursor(after);
  while (!left.isAtEnd || !right.isAtEnd) {
    if (!stepTogether(left, right)) yield* nextChange(left, right);
  }
}

/** The next member of two leaves, if it may differ. */
function* nextChange(left: Cursor, right: Cursor): Generator<ChangedMember, void, void> {
  const { name } = left;
  const { name: other } = right;
  if (name !== undefined && (other === undefined || name < other)) {
    yield { name, before: left.take(), after: undefined };
  } else if (other !== undefined && (name === undefined || other < name)) {
    yield { name: other, before: undefined, after: right.take() };
  } else {
    const before = left.take();
    const after = right.take();
    if (before !== after) yield { name: name!, before, after };
  }
}
