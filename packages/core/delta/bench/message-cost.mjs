// Question: what does one small change cost in a small and in a huge document, and what do huge documents
// cost to read and hold? Workload: a draft per message, one operation, its encoding and the state hash;
// then parsing, memory, pieces. It does not show Wasm, Raft, disks or garbage of a long-lived process.
// Run: node --expose-gc packages/core/delta/bench/message-cost.mjs [rounds]

import { DEFAULT_LIMITS, makePrng } from '@deltabase/base';
import {
  applyPatch,
  canonicalBytes,
  canonicalJson,
  Draft,
  fromJson,
  hashText,
  parsePatch,
  parseValue,
} from '../dist/src/index.js';

const ROUNDS = 7;
const MESSAGES = Number(process.argv[2] ?? 100_000);
const KEYS = 1_000_000;
const rows = [];

const small = fromJson(objectOf(10));
const hugeText = canonicalJson(fromJson(objectOf(KEYS)));
const shuffledText = JSON.stringify(shuffled(KEYS));
const hugeArray = fromJson(Array.from({ length: KEYS }, (_, i) => i));

const before = heapBytes();
const huge = timed(`parse an object of ${KEYS} sorted names`, 3, () => parseValue(hugeText));
const hugeBytes = heapBytes() - before;
timed(`parse an object of ${KEYS} shuffled names`, 3, () => parseValue(shuffledText));

measure('replace in an object of 10, one name', small, () => '/k3');
measure('replace in an object of 10, random names', small, (r) => `/k${r.below(10)}`);
measure(`replace in an object of ${KEYS}, one name`, huge, () => '/k500000');
measure(`replace in an object of ${KEYS}, random names`, huge, (r) => `/k${r.below(KEYS)}`);
measure(`replace in an array of ${KEYS}, random`, hugeArray, (r) => `/${r.below(KEYS)}`);
measure(`insert into an array of ${KEYS}, random`, hugeArray, (r) => `/${r.below(KEYS)}`, 'add');
measure(`append to an array of ${KEYS}`, hugeArray, () => '/-', 'add');
measure(`add to an object of ${KEYS}, random names`, huge, (r) => `/n${r.next()}`, 'add');
fold('parse and apply a replace to an object of 10', small);
timed(`encode an object of ${KEYS}`, 3, () => canonicalBytes(huge));

console.table(rows);
console.log(`object of ${KEYS} numbers: ${(hugeBytes / 2 ** 20).toFixed(0)} MiB of heap`);

/** Messages of one operation each on one document, each on top of the one before. */
function measure(name, root, pointerOf, op = 'replace') {
  const times = [];
  let hash = '';
  for (let round = 0; round < ROUNDS; round++) {
    const random = makePrng(round);
    const pointers = Array.from({ length: MESSAGES }, () => pointerOf(random));
    let state = root;
    const start = performance.now();
    for (let i = 0; i < MESSAGES; i++) {
      const draft = new Draft(state, DEFAULT_LIMITS);
      draft.emit({ op, path: pointers[i], value: i });
      draft.patchBytes();
      hash = hashText(draft.root);
      state = draft.root;
    }
    times.push(((performance.now() - start) * 1000) / MESSAGES);
  }
  report(name, 'µs', times, hash);
}

function fold(name, root) {
  const times = [];
  let hash = '';
  for (let round = 0; round < ROUNDS; round++) {
    const patches = Array.from({ length: MESSAGES }, (_, i) => {
      return new TextEncoder().encode(`[{"op":"replace","path":"/k3","value":${i}}]`);
    });
    let state = root;
    const start = performance.now();
    for (const patch of patches) {
      state = applyPatch(state, parsePatch(patch));
      hash = hashText(state);
    }
    times.push(((performance.now() - start) * 1000) / MESSAGES);
  }
  report(name, 'µs', times, hash);
}

function timed(name, rounds, run) {
  const times = [];
  let result;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    result = run();
    times.push(performance.now() - start);
  }
  report(name, 'ms', times, '');
  return result;
}

function report(name, unit, times, hash) {
  times.sort((a, b) => a - b);
  const [min, median, max] = [times[0], times[times.length >> 1], times.at(-1)];
  const round = (time) => Number(time.toPrecision(3));
  rows.push({ name, unit, min: round(min), median: round(median), max: round(max), hash });
}

function objectOf(count) {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
}

function shuffled(count) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`k${(i * 7919 + 13) % count}`, i]),
  );
}

function heapBytes() {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
