// The names of a node of an object, ascending. While they change they are an array; once they rest, in a
// tree of many nodes, they are one text: a search then reads a few neighbouring cache lines, where an array
// leads to a string somewhere in memory for each name it compares; and the garbage collector, which looks at
// every pointer, finds one. A small object keeps its array, which is faster while all of it is in the cache.
// A packed text is: the number of names, one unit; the units that each has behind what all begin with, one unit, or
// 0 if they differ in that; how many units all begin with, one unit; these; if the names differ in length, how many units
// stand before each of them and behind the last, two units each, the low one first; then the names, without what all
// begin with.

/** Names, ascending and distinct: listed, or packed into one text. */
export type Names = readonly string[] | string;

/** Units of a packed text at most: inserting a name lists them all, which must stay cheap. */
export const PACKED_UNITS_MAX = 4096;

/** `list` as a node keeps it that is to stay as it is; long names stay listed. */
export function packNames(list: readonly string[]): Names {
  const shared = sharedUnits(list);
  const lengths = list.map((name) => name.length - shared);
  const longest = Math.max(0, ...lengths);
  if (longest > UNIT_MAX) return list;
  const isEven = longest > 0 && lengths.every((length) => length === longest);
  // Joined rather than added, it is flat at once.
  const packed = [
    String.fromCharCode(list.length, isEven ? longest : 0, shared),
    (list[0] ?? '').slice(0, shared),
    isEven ? '' : startsText(startsOf(lengths)),
    ...list.map((name) => name.slice(shared)),
  ].join('');
  return packed.length > PACKED_UNITS_MAX ? list : packed;
}

/** `names` as a list, or those of `[start, end)`. */
export function listNames(names: Names, start = 0, end = countNames(names)): readonly string[] {
  if (typeof names !== 'string')
    return end - start === names.length ? names : names.slice(start, end);
  const shared = names.slice(HEAD_UNITS, HEAD_UNITS + sharedLength(names));
  const list: string[] = [];
  let at = nameStart(names, start);
  for (let i = start; i < end; i++) {
    const behind = at + nameUnits(names, i);
    list.push(shared + names.slice(at, behind));
    at = behind;
  }
  return list;
}

/** How many names there are. */
export function countNames(names: Names): number {
  return typeof names === 'string' ? names.charCodeAt(0) : names.length;
}

/** The name at `at`, which is in [0, count); to be kept for long only as `ownName` of it. */
export function nameAt(names: Names, at: number): string {
  if (typeof names !== 'string') return names[at]!;
  const start = nameStart(names, at);
  const end = start + nameUnits(names, at);
  return names.slice(HEAD_UNITS, HEAD_UNITS + sharedLength(names)) + names.slice(start, end);
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

/** From this length on a part of a string may be a view of all of it (in V8). */
export const VIEW_UNITS = 13;

/** A copy of `name` that keeps no other text in memory: names are cut out of pointers and packed texts. */
export function ownName(name: string): string {
  return name.length < VIEW_UNITS ? name : (JSON.parse(JSON.stringify(name)) as string);
}

/** Units that all names of a packed text begin with. */
export function sharedLength(packed: string): number {
  return packed.charCodeAt(2);
}

/** Units of each name of a packed text behind what all begin with; 0: they differ. */
export function nameWidth(packed: string): number {
  return packed.charCodeAt(1);
}

/** Units of the name at `at` of a packed text behind what all begin with. */
export function nameUnits(packed: string, at: number): number {
  return nameWidth(packed) || unitsUpTo(packed, at + 1) - unitsUpTo(packed, at);
}

/** Where the first name of a packed text begins, without what all begin with. */
export function namesStart(packed: string): number {
  const start = HEAD_UNITS + sharedLength(packed);
  return nameWidth(packed) > 0 ? start : start + START_UNITS * (countNames(packed) + 1);
}

/** Where the name at `at` of a packed text begins. */
export function nameStart(packed: string, at: number): number {
  return namesStart(packed) + unitsUpTo(packed, at);
}

/** Where the last name of a packed text ends; what is behind is not the names' (leaf-text.ts). */
export function namesEnd(packed: string): number {
  return nameStart(packed, countNames(packed));
}

/** Units of the names of a packed text before the one at `at`, or of all, without what all begin with. */
export function unitsUpTo(packed: string, at: number): number {
  const width = nameWidth(packed);
  if (width > 0) return width * at;
  const place = HEAD_UNITS + sharedLength(packed) + START_UNITS * at;
  return packed.charCodeAt(place) | (packed.charCodeAt(place + 1) << 8);
}

/** How a packed text says how many units stand before each name and behind the last. */
export function startsText(starts: readonly number[]): string {
  const units: number[] = [];
  for (const start of starts) units.push(start & 0xff, start >> 8);
  return String.fromCharCode(...units);
}

/** Number of names, their width, and how many units they share. */
export const HEAD_UNITS = 3;
const START_UNITS = 2;
/** What takes one byte: so numbers do not make two bytes of each unit. */
export const UNIT_MAX = 0xff;

function startsOf(lengths: readonly number[]): readonly number[] {
  let start = 0;
  return [0, ...lengths.map((length) => (start += length))];
}

/** Units that all of `list` begin with, as far as one unit can say; bounds of a branch need not ascend. */
function sharedUnits(list: readonly string[]): number {
  const first = list[0] ?? '';
  let shared = Math.min(first.length, UNIT_MAX);
  for (const name of list) {
    let at = 0;
    while (at < shared && name.charCodeAt(at) === first.charCodeAt(at)) at++;
    shared = at;
  }
  return shared;
}

/** `findName` among the names from `first` on. */
function findPacked(packed: string, name: string, first = 0): number {
  const count = packed.charCodeAt(0);
  const prefix = sharedLength(packed);
  const most = Math.min(prefix, name.length);
  for (let i = 0; i < most; i++) {
    const difference = packed.charCodeAt(HEAD_UNITS + i) - name.charCodeAt(i);
    if (difference !== 0) return difference < 0 ? ~count : ~first;
  }
  if (name.length < prefix) return ~first;
  const width = packed.charCodeAt(1);
  const base = namesStart(packed);
  const units = name.length - prefix;
  let low = first;
  let high = count;
  // Units that `name` has in common with the last name before it, and with the first behind it: all between
  // them have the lesser number in common with it, too.
  let lowShared = 0;
  let highShared = 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    const before = unitsUpTo(packed, middle);
    const start = base + before;
    const length = width > 0 ? width : unitsUpTo(packed, middle + 1) - before;
    const end = Math.min(length, units);
    let shared = Math.min(lowShared, highShared);
    let difference = 0;
    while (shared < end) {
      difference = packed.charCodeAt(start + shared) - name.charCodeAt(prefix + shared);
      if (difference !== 0) break;
      shared++;
    }
    if (shared === end) difference = length - units;
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
