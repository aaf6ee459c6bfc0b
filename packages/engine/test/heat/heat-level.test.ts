import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { copiesAt, HeatLevel, type HeatScale } from '../../src/heat/heat-level.js';

const SCALE: HeatScale = { hotFrom: 100, perCopy: 400, coolMs: 5000 };

function exactly(heat: number) {
  return { low: heat, high: heat };
}

/** A level that has had this heat for ever. */
function levelAt(heat: number): HeatLevel {
  const level = new HeatLevel(SCALE);
  level.step(exactly(heat), 0);
  return level;
}

test('copies go by heat: none when it is cool, then one, then one for every part that a copy takes', () => {
  for (const [heat, copies] of [
    [0, 0],
    [99, 0],
    [100, 1],
    [400, 1],
    [401, 2],
    [800, 2],
    [801, 3],
  ] as const) {
    assert.equal(copiesAt(heat, SCALE), copies, `${heat}`);
    assert.equal(levelAt(heat).copies, copies, `${heat}`);
  }
});

test('a document cools once it has had less than half for as long as that takes, not before', () => {
  const level = levelAt(100);
  level.step(exactly(49), 1000);
  level.step(exactly(0), 5999);
  assert.equal(level.copies, 1);
  level.step(exactly(49), 6000);
  assert.equal(level.copies, 0);
});

test('a moment of enough heat has the time begin anew', () => {
  const level = levelAt(100);
  level.step(exactly(0), 1000);
  level.step(exactly(50), 5000);
  level.step(exactly(0), 6000);
  level.step(exactly(0), 10_999);
  assert.equal(level.copies, 1);
  level.step(exactly(0), 11_000);
  assert.equal(level.copies, 0);
});

test('copies become fewer by what the heat keeps, at once as many as that', () => {
  const level = levelAt(2000);
  assert.equal(level.copies, 5);
  level.step(exactly(450), 1000);
  level.step(exactly(450), 6000);
  assert.equal(level.copies, 3);
});

test('heat that is not certain makes nothing hot, but keeps what is', () => {
  const level = new HeatLevel(SCALE);
  level.step({ low: 99, high: 5000 }, 0);
  assert.equal(level.copies, 0);
  level.step({ low: 100, high: 5000 }, 1);
  assert.equal(level.copies, 1);
  level.step({ low: 0, high: 50 }, 2);
  level.step({ low: 0, high: 50 }, 9000);
  assert.equal(level.copies, 1);
});

test('within a band, and in pauses shorter than it takes to cool, the copies never change', () => {
  const inBand = (copies: number) => {
    const least = copies === 1 ? SCALE.hotFrom / 2 : ((copies - 1) * SCALE.perCopy) / 2 + 0.001;
    return fc.double({ min: least, max: copies * SCALE.perCopy, noNaN: true });
  };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }).chain((copies) =>
        fc.record({
          copies: fc.constant(copies),
          steps: fc.array(
            fc.record({
              heat: inBand(copies),
              passedMs: fc.nat({ max: 100_000 }),
              pauseMs: fc.nat({ max: SCALE.coolMs - 1 }),
            }),
          ),
        }),
      ),
      ({ copies, steps }) => {
        const level = levelAt(copies * SCALE.perCopy);
        let nowMs = 0;
        for (const { heat, passedMs, pauseMs } of steps) {
          nowMs += passedMs;
          level.step(exactly(heat), nowMs);
          assert.equal(level.copies, copies);
          level.step(exactly(0), nowMs);
          nowMs += pauseMs;
          level.step(exactly(0), nowMs);
          assert.equal(level.copies, copies);
          level.step(exactly(heat), nowMs);
        }
      },
    ),
  );
});

test('whatever the heat does, copies become fewer at most once in the time it takes to cool', () => {
  const step = fc.record({
    heat: fc.double({ min: 0, max: 4000, noNaN: true }),
    passedMs: fc.nat({ max: 3000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const level = levelAt(4000);
      let nowMs = 0;
      let lostMs = Number.NEGATIVE_INFINITY;
      for (const { heat, passedMs } of steps) {
        nowMs += passedMs;
        const before = level.copies;
        level.step(exactly(heat), nowMs);
        assert.ok(level.copies >= copiesAt(heat, SCALE), 'as many as the heat asks for');
        if (level.copies >= before) continue;
        assert.ok(nowMs - lostMs >= SCALE.coolMs);
        assert.equal(level.copies, copiesAt(2 * heat, SCALE));
        lostMs = nowMs;
      }
    }),
  );
});
