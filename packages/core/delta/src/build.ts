// Containers made in order: each member or element costs O(1) amortised, whatever the size. Used where
// many arrive sorted: parsing, pieces, bulk changes. Leaves of other containers are shared where they are as
// those of a large one are (names.ts): it is cut and built again without measuring its members.
// Invariant: what `finish` returns keeps the bounds of tree.ts, because a level lets go of a full node only while
// enough for another one remains, and what is too small in the end takes the last leaf back.

import { assert } from '@deltabase/base';
import { arrayBranch, arrayLeaf } from './array-node.js';
import { firstName, itemsIn, namesIn, widthOf } from './child.js';
import { listNames, nameAt, ownName } from './names.js';
import { flatObject, objectBranch, objectLeaf, objectRoot } from './object-node.js';
import { BRANCH_MAX, LEAF_MAX, mostAt, NODE_MIN } from './tree.js';
import type { ArrayValue, Child, ObjectValue, Slot } from './value.js';

/** Builds one object from members in ascending order of their names. */
export class ObjectBuilder {
  #keys: string[] = [];
  #items: Slot[] = [];
  #last: string | undefined;
  readonly #levels: Child[][] = [];

  /** The name added last; `undefined`: none. */
  get last(): string | undefined {
    return this.#last;
  }

  /** Adds a member; `key` comes after all keys before it. */
  append(key: string, slot: Slot): void {
    assert(
      this.#last === undefined || this.#last < key,
      'members are built in the order of their names',
    );
    this.#last = key;
    this.#keys.push(key);
    this.#items.push(slot);
    if (this.#keys.length < LEAF_MAX + NODE_MIN) return;
    const leaf = objectLeaf(this.#keys.slice(0, LEAF_MAX), this.#items.slice(0, LEAF_MAX));
    this.#keys = this.#keys.slice(LEAF_MAX);
    this.#items = this.#items.slice(LEAF_MAX);
    carry(this.#levels, 0, leaf, objectParent);
  }

  /** Adds the members of a leaf; their names come after all before. */
  appendLeaf(leaf: Child): void {
    const { length } = this.#items;
    const names = namesIn(leaf);
    const isPacked = typeof names === 'string';
    if (!isPacked || !isShared(widthOf(leaf), length)) {
      const list = listNames(names);
      for (const [i, slot] of itemsIn(leaf).entries()) {
        const name = list[i]!;
        this.append(isPacked ? ownName(name) : name, slot);
      }
      return;
    }
    assert(
      this.#last === undefined || this.#last < nameAt(names, 0),
      'members are built in the order of their names',
    );
    if (length > 0) carry(this.#levels, 0, objectLeaf(this.#keys, this.#items), objectParent);
    this.#keys = [];
    this.#items = [];
    this.#last = ownName(nameAt(names, widthOf(leaf) - 1));
    carry(this.#levels, 0, leaf, objectParent);
  }

  /** The object; the builder is used up. */
  finish(): ObjectValue {
    if (this.#levels.length === 0 && this.#keys.length <= LEAF_MAX) {
      return flatObject(this.#keys, this.#items);
    }
    const last = takeBack(this.#levels, this.#items.length);
    if (last !== undefined) {
      this.#keys = [...listNames(namesIn(last)).map(ownName), ...this.#keys];
      this.#items = [...itemsIn(last), ...this.#items];
    }
    const leaves = cutsOf(0, this.#keys.length).map(([start, end]) =>
      objectLeaf(this.#keys.slice(start, end), this.#items.slice(start, end)),
    );
    return objectRoot(close(this.#levels, leaves, objectParent));
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
    if (this.#items.length < LEAF_MAX + NODE_MIN) return;
    const leaf = arrayLeaf(this.#items.slice(0, LEAF_MAX));
    this.#items = this.#items.slice(LEAF_MAX);
    carry(this.#levels, 0, leaf, arrayBranch);
  }

  /** Adds the elements of a leaf. */
  appendLeaf(leaf: ArrayValue): void {
    const { length } = this.#items;
    if (!isShared(leaf.items.length, length)) {
      for (const item of leaf.items) this.append(item);
      return;
    }
    this.#count += leaf.items.length;
    if (length > 0) carry(this.#levels, 0, arrayLeaf(this.#items), arrayBranch);
    this.#items = [];
    carry(this.#levels, 0, leaf, arrayBranch);
  }

  /** The array; the builder is used up. */
  finish(): ArrayValue {
    const last = takeBack(this.#levels, this.#items.length);
    if (last !== undefined) this.#items = [...last.items, ...this.#items];
    if (this.#count === 0) return arrayLeaf([]);
    const leaves = cutsOf(0, this.#items.length).map(([start, end]) =>
      arrayLeaf(this.#items.slice(start, end)),
    );
    return close(this.#levels, leaves, arrayBranch);
  }
}

/** Whether a leaf of `length` may stand in a tree as it is, and what waits in front of it make a leaf of their own. */
function isShared(length: number, waiting: number): boolean {
  if (length < NODE_MIN || length > LEAF_MAX) return false;
  return waiting === 0 || (waiting >= NODE_MIN && waiting <= LEAF_MAX);
}

/** The last leaf, taken out of its level, if as many as `left` are too few for one. */
function takeBack<Node>(levels: readonly Node[][], left: number): Node | undefined {
  return left > 0 && left < NODE_MIN ? levels[0]?.pop() : undefined;
}

type ParentOf<Node> = (height: number, children: readonly Node[]) => Node;

function objectParent(height: number, children: readonly Child[]): Child {
  return objectBranch(height, children.map(firstName), children);
}

/** Adds `node` to its level and lets full parents go up. */
function carry<Node>(levels: Node[][], height: number, node: Node, parent: ParentOf<Node>): void {
  let level = levels[height];
  if (level === undefined) {
    level = [];
    levels.push(level);
  }
  level.push(node);
  if (level.length < BRANCH_MAX + NODE_MIN) return;
  carry(levels, height + 1, parent(height + 1, level.splice(0, BRANCH_MAX)), parent);
}

/** Closes all levels over the last `nodes` of the lowest; the root. */
function close<Node>(levels: Node[][], nodes: readonly Node[], parent: ParentOf<Node>): Node {
  let row = nodes;
  for (let height = 0; height < levels.length || row.length > 1; height++) {
    const level = (levels[height] ?? []).concat(row);
    // One leaf may be all there is.
    if (level.length === 1 && height >= levels.length - 1) return level[0]!;
    row = cutsOf(height + 1, level.length).map(([start, end]) =>
      parent(height + 1, level.slice(start, end)),
    );
  }
  return row[0]!;
}

/** Up to two ranges that cover `length` items and keep the bounds of nodes of `height`. */
function cutsOf(height: number, length: number): readonly (readonly [number, number])[] {
  const most = mostAt(height);
  assert(length <= 2 * most, 'a level is closed with at most two nodes');
  if (length === 0) return [];
  if (length <= most) return [[0, length]];
  const middle = length >> 1;
  return [
    [0, middle],
    [middle, length],
  ];
}
