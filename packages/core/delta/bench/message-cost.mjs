// Question: what does one small change cost in a small and in a huge document, and what do huge documents
// cost to read and hold? Workload: a draft per message, one operation, its encoding and the state hash;
// then parsing, memory, pieces, differences. It does not show Wasm, Raft, disks or garbage of a long-lived process.
// Run: node --expose-gc packages/core/delta/bench/message-cost.mjs [messages] [members]

import { DEFAULT_LIMITS, makePrng } from '@deltabase/base';
import {
  applyPatch,
  canonicalBytes,
  composePatches,
  Draft,
  diffValues,
  encodePiece,
  fromJson,
  hashText,
  PieceBuilder,
  parsePatch,
  parsePiece,
  parseValue,
  pieces,
} from '../dist/src/index.js';

const ROUNDS = 7;
const MESSAGES = Number(process.argv[2] ?? 100_000);
const KEYS = Number(process.argv[3] ?? 1_000_000);
const rows = [];

const small = fromJson(objectOf(10));
const hugeText = JSON.stringify(objectOf(KEYS));
const shuffledText = JSON.stringify(shuffled(KEYS));
const hugeArray = fromJson(Array.from({ length: KEYS }, (_, i) => i));

const uneven = fromJson(Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`k${i}`, i])));

const before = heapBytes();
const huge = parseValue(hugeText);
const hugeBytes = heapBytes() - before;

measure('replace in 10 members, one name', small, () => `/${nameOf(3)}`);
measure('replace in 10 members, random names', small, (r) => `/${nameOf(r.below(10))}`);
measure(`replace in ${KEYS} members, one name`, huge, () => `/${nameOf(KEYS >> 1)}`);
measure(`replace in ${KEYS} members, random names`, huge, (r) => `/${nameOf(r.below(KEYS))}`);
measure(`add to ${KEYS} members, random names`, huge, (r) => `/n${r.next()}`, 'add');
measure(
  'replace in 100000 members, names that differ in length',
  uneven,
  (r) => `/k${r.below(1e5)}`,
);
measure(`replace in ${KEYS} elements, random`, hugeArray, (r) => `/${r.below(KEYS)}`);
measure(`insert into ${KEYS} elements, random`, hugeArray, (r) => `/${r.below(KEYS)}`, 'add');
measure(`append to ${KEYS} elements`, hugeArray, () => '/-', 'add');
fold('parse and apply a replace in 10 members', small);
timed(`parse ${KEYS} sorted members`, () => parseValue(hugeText));
timed(`parse ${KEYS} shuffled members`, () => parseValue(shuffledText));
timed(`encode ${KEYS} members`, () => canonicalBytes(huge));
timed(`cut ${KEYS} members into pieces and build them again`, rebuild);
timed(`difference of ${KEYS} members with 100 changes`, difference);
timed('compose 10,000 updates of 10 places', compose);

console.log(`node ${process.version}, ${process.arch}, seeds 0 to ${ROUNDS - 1}`);
console.table(rows);
console.log(
  `an object of ${KEYS} numbers takes ${(hugeBytes / 2 ** 20).toFixed(0)} MiB of heap with its names`,
);

/** Messages of one operation each on one document, each on top of the one before. */
function measure(name, root, pointerOf, op = 'replace') {
  const times = [];
  let hash = '';
  for (let round = 0; round < ROUNDS; round++) {
    heapBytes();
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
      return new TextEncoder().encode(`[{"op":"replace","path":"/${nameOf(3)}","value":${i}}]`);
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

function rebuild() {
  const builder = new PieceBuilder();
  for (const piece of pieces(huge, 65_536)) builder.add(parsePiece(encodePiece(piece)));
  return hashText(builder.finish());
}

function difference() {
  const random = makePrng(1);
  const patch = Array.from({ length: 100 }, (_, i) => {
    return { op: 'replace', path: `/${nameOf(random.below(KEYS))}`, value: -i };
  });
  return diffValues(huge, applyPatch(huge, patch));
}

function compose() {
  const patches = Array.from({ length: 10_000 }, (_, i) => {
    return [{ op: 'replace', path: `/k${i % 10}`, value: i }];
  });
  return composePatches(patches);
}

function timed(name, run) {
  const times = [];
  for (let round = 0; round < 5; round++) {
    heapBytes();
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  report(name, 'ms', times, '');
}

function report(name, unit, times, hash) {
  times.sort((a, b) => a - b);
  const [min, median, max] = [times[0], times[times.length >> 1], times.at(-1)];
  const round = (time) => Number(time.toPrecision(3));
  rows.push({ name, unit, min: round(min), median: round(median), max: round(max), hash });
}

function objectOf(count) {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [nameOf(i), i]));
}

function nameOf(i) {
  return `k${String(i).padStart(7, '0')}`;
}

function shuffled(count) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [nameOf((i * 7919 + 13) % count), i]),
  );
}

function heapBytes() {
  for (let time = 0; time < 4; time++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
