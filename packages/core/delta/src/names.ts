// The names of a node of an object, ascending. While they change they are an array; once they rest, in a
// tree of many nodes, they are one text: a search then reads a few neighbouring cache lines, where an array
// leads to a string somewhere in memory for each name it compares; and the garbage collector, which looks at
// every pointer, finds one. A small object keeps its array, which is faster while all of it is in the cache.
// A packed text is: the number of names, one unit; their length, one unit, or 0 if they differ in length; if
// so, where each begins and the last ends, two units each, the low one first; then the names themselves.

/** Names, ascending and distinct: listed, or packed into one text. */
export type Names = readonly string[] | string;

/** Units of a packed text at most: inserting a name lists them all, which must stay cheap. */
export const PACKED_UNITS_MAX = 4096;

/** `list` as a node keeps it that is to stay as it is; long names stay listed. */
export function packNames(list: readonly string[]): Names {
  const width = widthOf(list);
  const head = [list.length, width];
  let at = width > 0 ? HEAD_UNITS + width * list.length : HEAD_UNITS + 2 * (list.length + 1);
  if (width === 0) {
    head.push(at & 0xff, at >> 8);
    for (const name of list) {
      at += name.length;
      head.push(at & 0xff, at >> 8);
    }
  }
  if (at > PACKED_UNITS_MAX) return list;
  // Joined rather than added, it is flat at once.
  return [String.fromCharCode(...head), ...list].join('');
}

/** `names` as a list. */
export function listNames(names: Names): readonly string[] {
  if (typeof names !== 'string') return names;
  return Array.from({ length: countNames(names) }, (_, at) => nameAt(names, at));
}

/** How many names there are. */
export function countNames(names: Names): number {
  return typeof names === 'string' ? names.charCodeAt(0) : names.length;
}

/** The name at `at`, which is in [0, count); to be kept for long only as `ownName` of it. */
export function nameAt(names: Names, at: number): string {
  if (typeof names !== 'string') return names[at]!;
  const width = names.charCodeAt(1);
  return names.slice(startOf(names, width, at), startOf(names, width, at + 1));
}

/** Index of `name`; if it is not there, the index of the first name behind it, as its complement (`~`). */
export function findName(names: Names, name: string): number {
  if (typeof names === 'string') return findPacked(names, name);
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (names[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return names[low] === name ? low : ~low;
}

/** Index of the child of a branch that `name` belongs to; `bounds` are the names that children begin with. */
export function childFor(bounds: Names, name: string): number {
  if (typeof bounds === 'string') {
    const at = findPacked(bounds, name, 1);
    return at >= 0 ? at : ~at - 1;
  }
  let low = 1;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! <= name) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * A copy of `name` that keeps no other text in memory: a long part of a string may be a view of all of it
 * (in V8 from 13 units on), and names are cut out of pointers and packed texts.
 */
export function ownName(name: string): string {
  return name.length < 13 ? name : (JSON.parse(JSON.stringify(name)) as string);
}

const HEAD_UNITS = 2;
/** So that the head does not make two bytes of each unit. */
const WIDTH_MAX = 0xff;

/** The length that all of `list` have; 0: they differ, or are empty, or long. */
function widthOf(list: readonly string[]): number {
  const width = list[0]?.length ?? 0;
  return width <= WIDTH_MAX && list.every((name) => name.length === width) ? width : 0;
}

/** Where the name at `at` begins and the one before it ends; all are of `width`, or of any length if it is 0. */
function startOf(packed: string, width: number, at: number): number {
  if (width > 0) return HEAD_UNITS + width * at;
  const place = HEAD_UNITS + 2 * at;
  return packed.charCodeAt(place) | (packed.charCodeAt(place + 1) << 8);
}

/** `findName` among the names from `first` on. */
function findPacked(packed: string, name: string, first = 0): number {
  const width = packed.charCodeAt(1);
  let low = first;
  let high = packed.charCodeAt(0);
  // Units that `name` has in common with the last name before it, and with the first behind it: all between
  // them have the lesser number in common with it, too.
  let lowShared = 0;
  let highShared = 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    const start = startOf(packed, width, middle);
    const length = startOf(packed, width, middle + 1) - start;
    const most = Math.min(length, name.length);
    let shared = Math.min(lowShared, highShared);
    let difference = 0;
    while (shared < most) {
      difference = packed.charCodeAt(start + shared) - name.charCodeAt(shared);
      if (difference !== 0) break;
      shared++;
    }
    if (shared === most) difference = length - name.length;
    if (difference === 0) return middle;
    if (difference < 0) {
      low = middle + 1;
      lowShared = shared;
    } else {
      high = middle;
      highShared = shared;
    }
  }
  return ~low;
}
