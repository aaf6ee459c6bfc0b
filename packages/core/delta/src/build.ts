// Containers made in order: each member or element costs O(1) amortised, whatever the size. Used where
// many arrive sorted: parsing, pieces, bulk changes. Invariant: what `finish` returns keeps the bounds
// of tree.ts, because a level lets go of a full node only while enough for another one remains.

import { assert } from '@deltabase/base';
import { arrayBranch, arrayLeaf } from './array-node.js';
import { nameAt, ownName } from './names.js';
import { flatObject, objectBranch, objectLeaf } from './object-node.js';
import { NODE_MAX, NODE_MIN } from './tree.js';
import type { ArrayValue, ObjectValue, Slot } from './value.js';

/** Builds one object from members in ascending order of their names. */
export class ObjectBuilder {
  #keys: string[] = [];
  #items: Slot[] = [];
  readonly #levels: ObjectValue[][] = [];

  /** The name added last; `undefined`: none. */
  get last(): string | undefined {
    return this.#keys.at(-1);
  }

  /** Adds a member; `key` comes after all keys before it. */
  append(key: string, slot: Slot): void {
    const { last } = this;
    assert(last === undefined || last < key, 'members are built in the order of their names');
    this.#keys.push(key);
    this.#items.push(slot);
    if (this.#keys.length < NODE_MAX + NODE_MIN) return;
    const leaf = objectLeaf(this.#keys.slice(0, NODE_MAX), this.#items.slice(0, NODE_MAX));
    this.#keys = this.#keys.slice(NODE_MAX);
    this.#items = this.#items.slice(NODE_MAX);
    carry(this.#levels, 0, leaf, objectParent);
  }

  /** The object; the builder is used up. */
  finish(): ObjectValue {
    if (this.#levels.length === 0 && this.#keys.length <= NODE_MAX) {
      return flatObject(this.#keys, this.#items);
    }
    const cuts = cutsOf(this.#keys.length);
    const leaves = cuts.map(([start, end]) =>
      objectLeaf(this.#keys.slice(start, end), this.#items.slice(start, end)),
    );
    return close(this.#levels, leaves, objectParent);
  }
}

/** Builds one array from its elements in order. */
export class ArrayBuilder {
  #items: Slot[] = [];
  #count = 0;
  readonly #levels: ArrayValue[][] = [];

  /** Elements added so far. */
  get count(): number {
    return this.#count;
  }

  /** Adds an element behind the last. */
  append(slot: Slot): void {
    this.#count++;
    this.#items.push(slot);
    if (this.#items.length < NODE_MAX + NODE_MIN) return;
    const leaf = arrayLeaf(this.#items.slice(0, NODE_MAX));
    this.#items = this.#items.slice(NODE_MAX);
    carry(this.#levels, 0, leaf, arrayBranch);
  }

  /** The array; the builder is used up. */
  finish(): ArrayValue {
    const leaves = cutsOf(this.#items.length).map(([start, end]) =>
      arrayLeaf(this.#items.slice(start, end)),
    );
    return close(this.#levels, leaves, arrayBranch);
  }
}

type ParentOf<Node> = (height: number, children: readonly Node[]) => Node;

function objectParent(height: number, children: readonly ObjectValue[]): ObjectValue {
  return objectBranch(
    height,
    children.map((child) => ownName(nameAt(child.keys, 0))),
    children,
  );
}

/** Adds `node` to its level and lets full parents go up. */
function carry<Node>(levels: Node[][], height: number, node: Node, parent: ParentOf<Node>): void {
  let level = levels[height];
  if (level === undefined) {
    level = [];
    levels.push(level);
  }
  level.push(node);
  if (level.length < NODE_MAX + NODE_MIN) return;
  carry(levels, height + 1, parent(height + 1, level.splice(0, NODE_MAX)), parent);
}

/** Closes all levels over the last `nodes` of the lowest; the root. */
function close<Node>(levels: Node[][], nodes: readonly Node[], parent: ParentOf<Node>): Node {
  let row = nodes;
  for (let height = 0; height < levels.length || row.length > 1; height++) {
    const level = (levels[height] ?? []).concat(row);
    row = cutsOf(level.length).map(([start, end]) => parent(height + 1, level.slice(start, end)));
  }
  return row[0]!;
}

/** One or two ranges that cover `length` items and keep the bounds of a node. */
function cutsOf(length: number): readonly (readonly [number, number])[] {
  assert(length <= 2 * NODE_MAX, 'a level is closed with at most two nodes');
  if (length <= NODE_MAX) return [[0, length]];
  const middle = length >> 1;
  return [
    [0, middle],
    [middle, length],
  ];
}
