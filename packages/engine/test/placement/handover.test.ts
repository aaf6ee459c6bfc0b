import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from 'raft-ts';
import { Handover } from '../../src/placement/handover.js';

const ANY = (): boolean => true;

class Group {
  readonly id: number;
  idle = true;
  leadTransferee = 0;
  readonly transfers: number[] = [];
  readonly progress = [
    { id: 1, match: 9, isLearner: false, damaged: false },
    { id: 2, match: 5, isLearner: false, damaged: false },
    { id: 3, match: 8, isLearner: false, damaged: false },
    { id: 4, match: 9, isLearner: true, damaged: false },
    { id: 5, match: 9, isLearner: false, damaged: true },
  ];

  constructor(id = 1) {
    this.id = id;
  }

  status(): Status {
    const { leadTransferee, progress } = this;
    return { leadTransferee, progress } as unknown as Status;
  }

  transferTo(peer: number): void {
    this.transfers.push(peer);
  }
}

test('each group that this node leads goes to the voter that is most up to date', () => {
  const led = [new Group(1), new Group(2)];
  assert.ok(!new Handover(1, 0).step(led, ANY));
  assert.deepEqual(
    led.map(({ transfers }) => transfers),
    [[3], [3]],
  );
});

test('a voter that may not lead is no heir', () => {
  const led = new Group();
  new Handover(1, 0).step([led], (peer) => peer !== 3);
  assert.deepEqual(led.transfers, [2]);
});

test('a transfer under way is waited for; one that failed is followed by another heir', () => {
  const handover = new Handover(1, 0);
  const led = new Group();
  handover.step([led], ANY);
  led.leadTransferee = 3;
  assert.ok(!handover.step([led], ANY));
  assert.deepEqual(led.transfers, [3]);
  led.leadTransferee = 0;
  handover.step([led], ANY);
  assert.deepEqual(led.transfers, [3, 2]);
});

test('after all have failed the group rests for a step, so that messages run, and all are asked anew', () => {
  const handover = new Handover(1, 0);
  const led = new Group();
  for (let step = 0; step < 5; step++) assert.ok(!handover.step([led], ANY));
  assert.deepEqual(led.transfers, [3, 2, 3, 2]);
});

test('without an heir this node is done once all that it took is answered', () => {
  const handover = new Handover(1, 0);
  const led = new Group();
  assert.ok(handover.step([led], () => false));
  led.idle = false;
  assert.ok(!handover.step([led], () => false));
  assert.ok(!handover.isLate(9999));
  assert.ok(handover.isLate(10_000));
});
