import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterClock } from '../../src/peers/cluster-clock.js';
import type { Clock } from '../../src/ports.js';
import { SILENT } from '../support/log.js';

const HOUR = 3_600_000;

function setUp() {
  const time = { monotonic: 1000, wall: 5_000_000 };
  const clock = { monotonicMs: () => time.monotonic, wallMs: () => time.wall } as Clock;
  const lines: string[] = [];
  const say = (event: string, fields = {}): void => void lines.push(event + JSON.stringify(fields));
  const log = { ...SILENT, error: say, info: say };
  const clusterClock = new ClusterClock({ clock, log, skewMsMax: 60_000 });
  const pass = (ms: number): void => {
    time.monotonic += ms;
    time.wall += ms;
  };
  return { clusterClock, time, pass, lines };
}

test('a node that has heard nobody goes by its own clock', () => {
  const { clusterClock, pass } = setUp();
  pass(10);
  assert.equal(clusterClock.wallMs(), 5_000_010);
});

test('one clock of three that is wrong sets no time, be it the own one or another', () => {
  for (const wrongMs of [2 * HOUR, -2 * HOUR]) {
    const { clusterClock, time, pass } = setUp();
    clusterClock.heard(2, 5_000_001);
    clusterClock.heard(3, 5_000_003 + wrongMs);
    pass(100);
    assert.ok(Math.abs(clusterClock.wallMs() - 5_000_100) <= 3);
    clusterClock.heard(3, 5_000_103);
    time.wall += wrongMs;
    assert.ok(Math.abs(clusterClock.wallMs() - 5_000_100) <= 3);
  }
});

test('of two clocks the earlier counts: what is too early does no lasting harm', () => {
  const { clusterClock, time } = setUp();
  clusterClock.heard(2, 5_000_000);
  time.wall += HOUR;
  assert.equal(clusterClock.wallMs(), 5_000_000);
  time.wall -= 2 * HOUR;
  assert.equal(clusterClock.wallMs(), 5_000_000 - HOUR);
});

test('the log says once when the own clock is wrong, and once when it is right again', () => {
  const { clusterClock, time, lines } = setUp();
  for (const peer of [2, 3]) clusterClock.heard(peer, 5_000_000);
  clusterClock.check();
  time.wall += HOUR;
  for (let count = 0; count < 3; count++) clusterClock.check();
  time.wall -= HOUR;
  for (let count = 0; count < 3; count++) clusterClock.check();
  assert.deepEqual(lines, ['clock-wrong{"aheadMs":3600000}', 'clock-right{"aheadMs":0}']);
});
