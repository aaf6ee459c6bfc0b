// The members in which two objects differ, found by what their trees do not share: the work grows with what
// changed, not with the objects.

import { expandTop } from './equal.js';
import { nameAt } from './names.js';
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
  // Nodes still to come, the next on top; `i` and `j` members of the two on top are done.
  const left = [before];
  const right = [after];
  let i = 0;
  let j = 0;
  for (;;) {
    if (i === left.at(-1)?.items.length) {
      left.pop();
      i = 0;
    }
    if (j === right.at(-1)?.items.length) {
      right.pop();
      j = 0;
    }
    const x = left.at(-1);
    const y = right.at(-1);
    if (x === undefined && y === undefined) return;
    const height = Math.max(x?.height ?? 0, y?.height ?? 0);
    if (x === y && i === 0 && j === 0) {
      left.pop();
      right.pop();
    } else if (height > 0) {
      if (x?.height === height) expandTop(left);
      if (y?.height === height) expandTop(right);
    } else {
      const name = x && nameAt(x.keys, i);
      const other = y && nameAt(y.keys, j);
      if (name !== undefined && (other === undefined || name < other)) {
        yield { name, before: x!.items[i++]!, after: undefined };
      } else if (name === undefined || name > other!) {
        yield { name: other!, before: undefined, after: y!.items[j++]! };
      } else {
        const was = x!.items[i++]!;
        const is = y!.items[j++]!;
        if (was !== is) yield { name, before: was, after: is };
      }
    }
  }
}
