// A place in a container that moves forward over its members or elements, or over whole nodes where there is
// no need to look into them.

import { heightOf, itemsIn, namesIn, widthOf } from './child.js';
import { listNames } from './names.js';
import type { ArrayValue, Child, Container, Slot } from './value.js';

/** Walks a container from its beginning to its end. */
export class Cursor {
  /** Nodes still to come, the next on top. */
  readonly #stack: Array<ArrayValue | Child>;
  /** What the leaf on top holds, once it was looked into; the first `#at` are done. */
  #items: readonly Slot[] | undefined;
  #names: readonly string[] | undefined;
  #at = 0;

  constructor(container: Container) {
    this.#stack = widthOf(container) === 0 ? [] : [container];
  }

  /** Whether everything is done. */
  get isAtEnd(): boolean {
    return this.#stack.length === 0;
  }

  /** The node that comes next as a whole; `undefined`: there is none, or some of it is done. */
  get whole(): ArrayValue | Child | undefined {
    return this.#at === 0 ? this.#stack.at(-1) : undefined;
  }

  /** Levels below the next node; 0: it is a leaf, or everything is done. */
  get height(): number {
    const node = this.#stack.at(-1);
    return node === undefined ? 0 : heightOf(node);
  }

  /** The name of the next member, where the next node is a leaf; `undefined`: of an array, or there is none. */
  get name(): string | undefined {
    const node = this.#stack.at(-1);
    if (node === undefined || (typeof node !== 'string' && node.kind === 'array')) return undefined;
    this.#names ??= listNames(namesIn(node));
    return this.#names[this.#at];
  }

  /** Puts the children of the next node in its place. */
  expand(): void {
    this.#names = undefined;
    const children = itemsIn(this.#stack.pop()!);
    for (let i = children.length - 1; i >= 0; i--)
      this.#stack.push(children[i] as ArrayValue | Child);
  }

  /** Goes behind the next node, of which nothing is done yet. */
  pass(): void {
    this.#stack.pop();
    this.#names = undefined;
  }

  /** What the leaf that comes next keeps at this place; goes behind it. */
  take(): Slot {
    this.#items ??= itemsIn(this.#stack.at(-1)!);
    const slot = this.#items[this.#at++]!;
    if (this.#at === this.#items.length) {
      this.#stack.pop();
      this.#items = undefined;
      this.#names = undefined;
      this.#at = 0;
    }
    return slot;
  }
}

/**
 * One step of two cursors towards where their containers differ: past a node that comes next in both, or into the
 * higher of two. `false`: both come to a member or element, or one has ended.
 */
export function stepTogether(left: Cursor, right: Cursor): boolean {
  const { height, whole } = left;
  const { height: otherHeight, whole: other } = right;
  if (whole !== undefined && whole === other) {
    left.pass();
    right.pass();
    return true;
  }
  if (height === 0 && otherHeight === 0) return false;
  if (height >= otherHeight) left.expand();
  if (otherHeight >= height) right.expand();
  return true;
}
