// The shortest edit script between two sequences of numbers: the greedy algorithm of Myers, "An O(ND)
// difference algorithm and its variations" (1986) §2, with a bound on D, because its cost is O(N + D^2).

import { assert } from '@deltabase/base';

/** `count` items of both sequences that are equal, then `removed` of the first and `added` of the second. */
export interface Gap {
  readonly kept: number;
  readonly removed: number;
  readonly added: number;
}

/**
 * How `before` becomes `after` with the fewest removals and additions. Where that takes more than
 * `changesMax`, all between their common ends is one gap.
 */
export function editScript(
  before: readonly number[],
  after: readonly number[],
  changesMax: number,
): readonly Gap[] {
  const shorter = Math.min(before.length, after.length);
  let prefix = 0;
  while (prefix < shorter && before[prefix] === after[prefix]) prefix++;
  let suffix = 0;
  while (suffix < shorter - prefix && before.at(-1 - suffix) === after.at(-1 - suffix)) suffix++;
  const left = before.slice(prefix, before.length - suffix);
  const right = after.slice(prefix, after.length - suffix);
  const trace = search(left, right, changesMax);
  const middle =
    trace === undefined
      ? [{ kept: 0, removed: left.length, added: right.length }]
      : gapsOf(trace, left.length, right.length);
  return [
    { kept: prefix, removed: 0, added: 0 },
    ...middle,
    { kept: suffix, removed: 0, added: 0 },
  ];
}

/**
 * For each number of changes d from 0 on, the furthest x on each diagonal k = x - y, at index d + k;
 * `undefined`: the ends are more than `changesMax` changes apart.
 */
function search(
  before: readonly number[],
  after: readonly number[],
  changesMax: number,
): readonly Int32Array[] | undefined {
  const trace: Int32Array[] = [];
  for (let d = 0; d <= Math.min(changesMax, before.length + after.length); d++) {
    const row = new Int32Array(2 * d + 1);
    trace.push(row);
    for (let k = -d; k <= d; k += 2) {
      let x = d === 0 ? 0 : startOf(trace[d - 1]!, d, k);
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++;
      row[d + k] = x;
      if (x >= before.length && x - k >= after.length) return trace;
    }
  }
  return undefined;
}

/** Where diagonal `k` begins after the d-th change, `row` being that of d - 1 changes. */
function startOf(row: Int32Array, d: number, k: number): number {
  return comesDown(row, d, k) ? row[d - 1 + k + 1]! : row[d - 1 + k - 1]! + 1;
}

/** Whether the d-th change on the way to diagonal `k` is an addition. */
function comesDown(row: Int32Array, d: number, k: number): boolean {
  return k === -d || (k !== d && row[d - 1 + k - 1]! < row[d - 1 + k + 1]!);
}

/** The gaps along the way that `trace` found, from its end back. */
function gapsOf(trace: readonly Int32Array[], beforeLength: number, afterLength: number): Gap[] {
  const gaps: Gap[] = [];
  let x = beforeLength;
  let y = afterLength;
  let removed = 0;
  let added = 0;
  for (let d = trace.length - 1; d > 0; d--) {
    const k = x - y;
    const start = startOf(trace[d - 1]!, d, k);
    if (x > start) {
      gaps.push({ kept: x - start, removed, added });
      removed = 0;
      added = 0;
    }
    if (comesDown(trace[d - 1]!, d, k)) {
      x = start;
      y = start - k - 1;
      added++;
    } else {
      x = start - 1;
      y = start - k;
      removed++;
    }
  }
  assert(x === y, 'without a change both sequences begin alike');
  gaps.push({ kept: x, removed, added });
  return gaps.reverse();
}
