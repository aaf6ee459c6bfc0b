import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ALL_ROWS,
  activeKey,
  activeRange,
  chunkKey,
  chunksRange,
  documentPrefix,
  entryKey,
  entryRange,
  firstSeqOfChunk,
  generationOfRow,
  groupKey,
  hardStateKey,
  indexOfEntryKey,
  type KeyRange,
  keyAfter,
  LOGS_MAX,
  logOfEntryKey,
  logsRange,
  NODE_KEY,
  nodeOfPeerKey,
  peerKey,
  peerRange,
  pieceKey,
  piecesRange,
  placeOfPiece,
  placeOfSession,
  rowKey,
  rowSuffix,
  rowsRange,
  sessionKey,
  sessionRange,
  spaceOfKey,
} from '../../src/storage/keys.js';
import { hex } from '../support/bytes.js';

const PREFIX = documentPrefix(3, 1, 'text', 'a/b');

/** One key of each kind. */
const KEYS: ReadonlyArray<readonly [Uint8Array, string]> = [
  [NODE_KEY, '4e'],
  [peerKey(258), '5000000102'],
  [groupKey(3), '4700000003'],
  [hardStateKey(3), '4800000003'],
  [entryKey(3, 2 ** 40 + 5), '45000000030000010000000005'],
  [entryKey(3, 2 ** 40 + 5, 9), '45000000030120010000000005'],
  [activeKey(3, 1, 'text'), '52000000030000000141' + '74657874'],
  [sessionKey(3, 1, 'c1', 7), '52000000030000000153' + '02' + '6331' + '00000007'],
  [PREFIX, '52000000030000000144' + '0474657874' + '0003612f62'],
  [pieceKey(PREFIX, 9, 2), `${hex(PREFIX)}00000000000000000900000002`],
  [chunkKey(PREFIX, 9), `${hex(PREFIX)}010000000000000009`],
];

const index = fc.maxSafeNat();
const small = fc.nat({ max: 2 ** 32 - 1 });
const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });

function isIn(key: Uint8Array, { start, end }: KeyRange): boolean {
  return Buffer.compare(start, key) <= 0 && Buffer.compare(key, end) < 0;
}

test('keys have the bytes that data directories of this version hold', () => {
  for (const [key, golden] of KEYS) assert.equal(hex(key), golden);
});

test('the range of all rows holds a key of every kind', () => {
  for (const [key] of KEYS) assert.ok(isIn(key, ALL_ROWS), hex(key));
});

test('entries lie in the order of their groups and indices', () => {
  fc.assert(
    fc.property(small, small, index, index, (groupA, groupB, indexA, indexB) => {
      const order = Buffer.compare(entryKey(groupA, indexA), entryKey(groupB, indexB));
      assert.equal(order, Math.sign(groupA - groupB || indexA - indexB));
    }),
  );
});

test('a range of entries holds exactly the indices from its start to before its end', () => {
  fc.assert(
    fc.property(index, index, index, (from, to, at) => {
      assert.equal(isIn(entryKey(4, at), entryRange(4, from, to)), from <= at && at < to);
      assert.ok(!isIn(entryKey(5, at), entryRange(4, from, to)));
    }),
  );
});

test('the logs of a group lie apart, each whole, and not among those of another one', () => {
  const number = fc.nat({ max: LOGS_MAX - 1 });
  fc.assert(
    fc.property(index, number, number, number, (at, log, from, to) => {
      const key = entryKey(4, at, log);
      const isIn4 = from <= log && log < to;
      assert.equal(isIn(key, logsRange(4, from, to)), isIn4);
      assert.equal(isIn(key, logsRange(4, from, LOGS_MAX)), from <= log);
      assert.ok(!isIn(key, logsRange(3, 0, LOGS_MAX)) && !isIn(key, logsRange(5, 0, LOGS_MAX)));
      assert.equal(
        isIn(key, entryRange(4, 0, Number.MAX_SAFE_INTEGER, from)),
        from === log && at < Number.MAX_SAFE_INTEGER,
      );
      assert.deepEqual([indexOfEntryKey(key), logOfEntryKey(key)], [at, log]);
    }),
  );
  assert.throws(() => entryKey(4, 1, LOGS_MAX));
});

test('what a key was made of is read from it', () => {
  fc.assert(
    fc.property(index, small, name, (big, number, anyName) => {
      assert.equal(indexOfEntryKey(entryKey(7, big)), big);
      assert.equal(nodeOfPeerKey(peerKey(number)), number);
      assert.equal(generationOfRow(sessionKey(1, number, anyName)), number);
      const place = placeOfSession(sessionKey(1, 2, anyName, number));
      assert.deepEqual(place, { name: anyName, part: number });
      assert.equal(spaceOfKey(activeKey(1, 2, anyName)), anyName);
      assert.deepEqual(placeOfPiece(pieceKey(PREFIX, big, number)), { seq: big, number });
      assert.equal(firstSeqOfChunk(chunkKey(PREFIX, big)), big);
    }),
  );
});

test('the rows of a session lie together, the session itself first', () => {
  const keys = [sessionKey(3, 1, 'c1'), sessionKey(3, 1, 'c1', 1), sessionKey(3, 1, 'c1', 300)];
  keys.push(sessionKey(3, 1, 'c2'));
  assert.deepEqual(keys.toSorted(Buffer.compare), keys);
  // As an earlier form of this key was: not a name that is cut short.
  const other = rowKey(3, 1, new TextEncoder().encode('Sc1'));
  assert.throws(() => placeOfSession(other), { code: 'DATA_CORRUPT' });
});

test('a row moves to another group and generation with its suffix', () => {
  const key = sessionKey(3, 1, 'c1');
  assert.deepEqual(rowKey(4, 9, rowSuffix(key)), sessionKey(4, 9, 'c1'));
});

test('the rows of a generation are apart from those of every other generation and kind', () => {
  const keys = [activeKey(3, 1, 'z'), sessionKey(3, 1, ''), chunkKey(PREFIX, 5)];
  for (const key of keys) {
    assert.ok(isIn(key, rowsRange(3, 1, 2)));
    assert.ok(!isIn(key, rowsRange(3, 0, 1)));
    assert.ok(!isIn(key, rowsRange(3, 2, 2 ** 32 - 1)));
    assert.ok(!isIn(key, rowsRange(2, 0, 2 ** 32 - 1)));
  }
  assert.deepEqual(
    keys.map((key) => isIn(key, activeRange(3, 1))),
    [true, false, false],
  );
  assert.deepEqual(
    keys.map((key) => isIn(key, sessionRange(3, 1))),
    [false, true, false],
  );
  assert.ok(isIn(peerKey(65_535), peerRange()));
});

test('no row of a document lies among those of another, whatever their names', () => {
  fc.assert(
    fc.property(fc.tuple(name, name), fc.tuple(name, name), index, (a, b, seq) => {
      fc.pre(a[0] !== b[0] || a[1] !== b[1]);
      const other = documentPrefix(1, 1, b[0], b[1]);
      const range = chunksRange(documentPrefix(1, 1, a[0], a[1]), 0, Number.MAX_SAFE_INTEGER);
      assert.ok(!isIn(chunkKey(other, seq), range));
      assert.ok(!isIn(pieceKey(other, seq, 0), range));
    }),
  );
});

test('pieces and chunks lie in the order of their seqs, pieces by number within one', () => {
  fc.assert(
    fc.property(index, index, small, small, (seqA, seqB, numberA, numberB) => {
      const pieces = Buffer.compare(
        pieceKey(PREFIX, seqA, numberA),
        pieceKey(PREFIX, seqB, numberB),
      );
      assert.equal(pieces, Math.sign(seqA - seqB || numberA - numberB));
      const chunks = Buffer.compare(chunkKey(PREFIX, seqA), chunkKey(PREFIX, seqB));
      assert.equal(chunks, Math.sign(seqA - seqB));
      assert.equal(
        isIn(pieceKey(PREFIX, seqA, numberA), piecesRange(PREFIX, 0, seqB)),
        seqA < seqB,
      );
    }),
  );
});

test('nothing lies between a key and the one after it', () => {
  const key = entryKey(1, 1);
  assert.ok(Buffer.compare(key, keyAfter(key)) < 0);
  assert.equal(hex(keyAfter(key)), `${hex(key)}00`);
});

test('a number that does not fit its place is a defect, not another key', () => {
  assert.throws(() => entryKey(2 ** 32, 1));
  assert.throws(() => entryKey(1, 2 ** 53));
  assert.throws(() => entryKey(1, 1.5));
  assert.throws(() => documentPrefix(1, 1, 'x'.repeat(256), 'k'));
});
