// What happened between two states of an array, element by element. Nodes that both states share stand for
// all their elements, so that the work grows with what changed, not with the array; the rest is a shortest
// edit script, or, where too much changed for that, a comparison position by position.

import { editScript } from './edit-script.js';
import { slotsEqual } from './equal.js';
import { isContainer } from './read.js';
import type { ArrayValue, Slot } from './value.js';

/** One step along the array, from its front. */
export type ArrayEdit =
  | { readonly kind: 'keep'; readonly count: number }
  | { readonly kind: 'change'; readonly before: Slot; readonly after: Slot }
  | { readonly kind: 'remove' }
  | { readonly kind: 'add'; readonly slot: Slot };

/** The steps that lead from `before` to `after`. */
export function* arrayEdits(
  before: ArrayValue,
  after: ArrayValue,
): Generator<ArrayEdit, void, void> {
  const [left, right] = partsOf(before, after);
  const ids = new Ids();
  const script = editScript(left.map(ids.of), right.map(ids.of), CHANGES_MAX);
  let i = 0;
  let j = 0;
  for (const { kept, removed, added } of script) {
    let count = 0;
    for (const part of left.slice(i, i + kept)) count += part.count;
    if (count > 0) yield { kind: 'keep', count };
    i += kept;
    j += kept;
    yield* changes(left.slice(i, i + removed), right.slice(j, j + added));
    i += removed;
    j += added;
  }
}

/** Removals and additions of parts at most; with more, finding the fewest takes too long (some 10 ms). */
const CHANGES_MAX = 1000;

/** A run of elements: one, or all of a node. */
type Run =
  | { readonly node: ArrayValue; readonly count: number }
  | { readonly node: undefined; readonly slot: Slot; readonly count: 1 };

/** Both arrays as the largest nodes that they share, and single elements between them. */
function partsOf(before: ArrayValue, after: ArrayValue): readonly [readonly Run[], readonly Run[]] {
  let left: readonly Run[] = [{ node: before, count: before.count }];
  let right: readonly Run[] = [{ node: after, count: after.count }];
  for (let height = Math.max(before.height, after.height); height >= 0; height--) {
    const inLeft = nodesOf(left);
    const inRight = nodesOf(right);
    left = left.flatMap((part) => openUnless(part, height, inRight));
    right = right.flatMap((part) => openUnless(part, height, inLeft));
  }
  return [left, right];
}

function nodesOf(parts: readonly Run[]): ReadonlySet<ArrayValue> {
  const nodes = new Set<ArrayValue>();
  for (const { node } of parts) if (node !== undefined) nodes.add(node);
  return nodes;
}

function openUnless(part: Run, height: number, shared: ReadonlySet<ArrayValue>): readonly Run[] {
  const { node } = part;
  return node === undefined || node.height < height || shared.has(node) ? [part] : open(node);
}

/** The parts directly below `node`. */
function open(node: ArrayValue): readonly Run[] {
  return node.items.map((item): Run => {
    if (node.height === 0) return { node: undefined, slot: item, count: 1 };
    const child = item as ArrayValue;
    return { node: child, count: child.count };
  });
}

/** What happened where `before` became `after`: paired off from the front, as far as both go. */
function* changes(before: readonly Run[], after: readonly Run[]): Generator<ArrayEdit, void, void> {
  // The next part is on top.
  const left = before.toReversed();
  const right = after.toReversed();
  while (left.length > 0 || right.length > 0) {
    const x = left.pop();
    const y = right.pop();
    if (x?.node !== undefined && x.node === y?.node) {
      yield { kind: 'keep', count: x.count };
    } else if (x?.node !== undefined || y?.node !== undefined) {
      // A node opposite something else is looked into, the higher one first.
      const height = Math.max(x?.node?.height ?? -1, y?.node?.height ?? -1);
      putBack(left, x, height);
      putBack(right, y, height);
    } else if (x !== undefined && y !== undefined) {
      yield slotsEqual(x.slot, y.slot)
        ? { kind: 'keep', count: 1 }
        : { kind: 'change', before: x.slot, after: y.slot };
    } else if (y === undefined) {
      yield { kind: 'remove' };
    } else {
      yield { kind: 'add', slot: y.slot };
    }
  }
}

/** Puts `part` back on top, its parts if it is a node of `height`. */
function putBack(stack: Run[], part: Run | undefined, height: number): void {
  if (part === undefined) return;
  if (part.node?.height === height) stack.push(...open(part.node).toReversed());
  else stack.push(part);
}

/** Numbers for parts: the same for equal ones, and for them only. */
class Ids {
  #next = 0;
  readonly #simple = new Map<unknown, number>();
  /** Containers by their hash, with all that have it. */
  readonly #containers = new Map<number, { readonly slot: Slot; readonly id: number }[]>();

  readonly of = (part: Run): number => {
    if (part.node !== undefined) return this.#simpleId(part.node);
    const { slot } = part;
    if (typeof slot !== 'object' || slot === null) return this.#simpleId(slot);
    if (!isContainer(slot)) return this.#simpleId(slot.text);
    const alike = this.#containers.get(slot.a) ?? [];
    const known = alike.find((other) => slotsEqual(other.slot, slot));
    if (known !== undefined) return known.id;
    alike.push({ slot, id: this.#next });
    this.#containers.set(slot.a, alike);
    return this.#next++;
  };

  #simpleId(key: unknown): number {
    const known = this.#simple.get(key);
    if (known !== undefined) return known;
    this.#simple.set(key, this.#next);
    return this.#next++;
  }
}
