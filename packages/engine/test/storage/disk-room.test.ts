import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskRoom } from '../../src/storage/disk-room.js';
import { SILENT } from '../support/log.js';

function setUp() {
  const space = { freeBytes: 5000, usedBytes: 0 };
  const lines: string[] = [];
  let changes = 0;
  const say = (event: string): void => void lines.push(event);
  const room = new DiskRoom({
    disk: { space: () => space },
    log: { ...SILENT, error: say, info: say },
    freeBytesMin: 1000,
    changed: () => void changes++,
  });
  const check = (freeBytes: number): { isLow: boolean; isSpent: boolean } => {
    space.freeBytes = freeBytes;
    room.check();
    return { isLow: room.isLow, isSpent: room.isSpent };
  };
  return { room, check, lines, changes: () => changes };
}

test('below the least a disk is low, below half of it spent, and it is well again with some more', () => {
  const { check, lines, changes } = setUp();
  assert.deepEqual(check(1000), { isLow: false, isSpent: false });
  assert.deepEqual(check(999), { isLow: true, isSpent: false });
  assert.deepEqual(check(499), { isLow: true, isSpent: true });
  assert.deepEqual(check(500), { isLow: true, isSpent: false });
  assert.deepEqual(check(1124), { isLow: true, isSpent: false });
  assert.deepEqual(check(1125), { isLow: false, isSpent: false });
  assert.deepEqual(lines, ['disk-low', 'disk-has-room']);
  assert.equal(changes(), 2);
});

test('before the first check there is room', () => {
  const { room } = setUp();
  assert.ok(!room.isLow && !room.isSpent);
});
