import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, Failure } from '@deltabase/engine';
import { DeltasWriter } from '@deltabase/machine';
import type { Entry } from 'raft-ts';
import { LogReader } from '../src/services/log-reader.js';

/** A log that begins at `firstIndex` and goes on to 10, given two entries at a time. */
function setUp(fromIndex: number) {
  const log = { firstIndex: 3 };
  const engine = {
    readLog(
      _group: number,
      from: number,
      answer: (entries: readonly Entry[], committed: number) => void,
    ) {
      const start = Math.max(from, log.firstIndex);
      const indices = [start, start + 1].filter((index) => index <= 10);
      const data = new Uint8Array(0);
      answer(
        indices.map((index) => ({ index, term: 1, type: 'normal', data })),
        10,
      );
    },
  } as unknown as Engine;
  const reader = new LogReader(engine, { group: 1, fromIndex, limit: Infinity, follow: true });
  const next = (): number | Failure | undefined => {
    let outcome: number | Failure | undefined;
    reader.next({
      found: (responses) => {
        outcome = responses.length;
      },
      end() {},
      failed: (why) => {
        outcome = why;
      },
    });
    return outcome;
  };
  return { log, next };
}

test('a log is followed from the oldest entry there is, to its end and on', () => {
  for (const fromIndex of [0, 1, 3]) {
    const { next } = setUp(fromIndex);
    assert.deepEqual([next(), next(), next(), next(), next()], [1, 1, 1, 1, 0]);
  }
});

test('entries that left the log before they were read are not left out silently', () => {
  const { log, next } = setUp(0);
  assert.equal(next(), 1);
  log.firstIndex = 8;
  const failed = next() as Failure;
  assert.deepEqual([failed.code, failed.details], ['HISTORY_GONE', { firstIndex: 8 }]);
  assert.match(failed.message, /^entries 5 to 7 left the log/);
});

test('a page ends where its records by themselves are too many bytes, however few they are in the log', () => {
  const writer = new DeltasWriter();
  const rest = { session: '', openedAt: 0, number: 0, settled: 0, principal: 'p'.repeat(256) };
  const cause = { ...rest, channel: 'c', payload: new Uint8Array(0), time: 0, seed: 0, version: 1 };
  const change = { patch: Buffer.from('[]'), reply: undefined, effects: [], fuel: 0 };
  for (let seq = 1; seq <= 1000; seq++) {
    const made = { seq, hash: '0'.repeat(16), snapshotAdvised: false };
    writer.add({ space: 's', key: 'k'.repeat(500), ...cause, ...change, ...made });
  }
  const data = writer.finish();
  assert.ok(data.length < 40_000);
  const log = Array.from({ length: 8 }, (_, at): Entry => {
    return { index: at + 1, term: 1, type: 'normal', data };
  });
  const engine = {
    readLog: (
      _group: number,
      from: number,
      answer: (entries: readonly Entry[], committed: number) => void,
    ) => answer(log.slice(Math.max(from, 1) - 1), 8),
  } as unknown as Engine;
  const reader = new LogReader(engine, { group: 1, fromIndex: 0, limit: 7, follow: false });
  const pages: number[] = [];
  let isEnded = false;
  while (!isEnded) {
    reader.next({
      found: (responses) => void pages.push(responses.reduce((sum, each) => sum + each.length, 0)),
      end: () => {
        isEnded = true;
      },
      failed: (why) => assert.fail(why.message),
    });
  }
  assert.equal(pages.length, 4);
  assert.ok(pages.every((bytes) => bytes < 1_700_000));
  assert.ok(pages.reduce((sum, bytes) => sum + bytes, 0) > 7 * 780_000, 'seven entries were given');
});
