import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExampleDocument, sendSamples } from '../../harness.js';
import { newModel, seatCommands, stateOf } from './seats-model.js';

function event(rows = 2, seatsPerRow = 3): ExampleDocument {
  const seats = new ExampleDocument('seats');
  assert.equal(seats.do('open', { rows, seatsPerRow }), rows * seatsPerRow);
  return seats;
}

test('the sample messages sell two seats, let one hold run out and one be released', () => {
  const state = stateOf(sendSamples('seats'));
  assert.equal(state.sold, 2);
  const taken = Object.entries(state.seats).filter(([, seat]) => seat !== null);
  assert.deepEqual(
    taken.map(([name, seat]) => [name, seat!.by, 'soldAt' in seat!]),
    [
      ['1-1', 'anna', true],
      ['1-2', 'anna', true],
      ['2-1', 'chris', false],
    ],
  );
});

test('seats are laid out once, block by block', () => {
  const seats = event(10, 100);
  assert.match(seats.rejected('open', { rows: 1, seatsPerRow: 1 }), /already/);
  assert.equal(seats.do('open', { block: 'A/B', rows: 2, seatsPerRow: 2 }), 4);
  assert.match(seats.rejected('open', { block: 'A/B', rows: 9, seatsPerRow: 9 }), /already/);
  const names = Object.keys(stateOf(seats).seats);
  assert.equal(names.length, 1004);
  assert.deepEqual(names.slice(-4), ['A/B-1-1', 'A/B-1-2', 'A/B-2-1', 'A/B-2-2']);
  seats.do('hold', { seats: ['A/B-2-1', '10-100'] });
});

test('a seat that somebody holds or bought is not given to another', () => {
  const seats = event();
  seats.do('hold', { seats: ['1-1'] }, 'anna');
  assert.match(seats.rejected('hold', { seats: ['1-1'] }, 'ben'), /seat 1-1 is held by another/);
  assert.match(seats.rejected('confirm', { seats: ['1-1'] }, 'ben'), /not held by you/);
  assert.equal(seats.do('confirm', { seats: ['1-1'] }, 'anna'), 1);
  for (const who of ['anna', 'ben']) {
    assert.match(seats.rejected('hold', { seats: ['1-1'] }, who), /is sold/);
  }
  assert.match(seats.rejected('confirm', { seats: ['1-1'] }, 'anna'), /not held by you/);
  assert.match(seats.rejected('release', { seats: ['1-1'] }, 'anna'), /not held by you/);
});

test('a hold takes all of its seats or none', () => {
  const seats = event();
  seats.do('hold', { seats: ['2-2'] }, 'anna');
  const before = seats.state;
  seats.rejected('hold', { seats: ['2-1', '2-2', '2-3'] }, 'ben');
  assert.deepEqual(seats.state, before);
});

test('a hold lasts as long as it says and not a millisecond more', () => {
  const seats = event();
  const until = seats.do('hold', { seats: ['1-1'], holdMs: 500 }, 'anna');
  assert.equal(until, seats.time + 500);
  seats.time += 499;
  seats.rejected('hold', { seats: ['1-1'] }, 'ben');
  seats.time += 1;
  assert.match(seats.rejected('confirm', { seats: ['1-1'] }, 'anna'), /not held by you/);
  seats.do('hold', { seats: ['1-1'] }, 'ben');
});

test('a holder can hold for longer, and a buyer give back', () => {
  const seats = event();
  seats.do('hold', { seats: ['1-1'], holdMs: 100 }, 'anna');
  seats.time += 99;
  seats.do('hold', { seats: ['1-1'], holdMs: 100 }, 'anna');
  seats.time += 99;
  seats.do('confirm', { seats: ['1-1'] }, 'anna');
  assert.match(seats.rejected('refund', { seats: ['1-1'] }, 'ben'), /not sold to you/);
  seats.do('refund', { seats: ['1-1'] }, 'anna');
  assert.deepEqual([stateOf(seats).sold, stateOf(seats).seats['1-1']], [0, null]);
});

test('bad arguments are rejected', () => {
  const seats = event();
  assert.match(seats.rejected('hold', {}), /1 to 20 names/);
  assert.match(seats.rejected('hold', { seats: [] }), /1 to 20 names/);
  assert.match(seats.rejected('hold', { seats: new Array(21).fill('1-1') }), /1 to 20/);
  assert.match(seats.rejected('hold', { seats: { length: 1 } }), /1 to 20 names/);
  assert.match(seats.rejected('hold', { seats: [7] }), /names/);
  assert.match(seats.rejected('hold', { seats: ['9-9'] }), /does not exist/);
  assert.match(seats.rejected('hold', { seats: ['1-1', '1-1'] }), /twice/);
  assert.match(seats.rejected('hold', { seats: ['1-1'], holdMs: 0.5 }), /holdMs/);
  assert.match(seats.rejected('hold', { seats: ['1-1'] }, ''), /principal/);
  const empty = new ExampleDocument('seats');
  assert.match(empty.rejected('open', { rows: 100, seatsPerRow: 11 }), /at most 1000/);
  assert.match(empty.rejected('open', { block: 'x'.repeat(41) }), /block/);
  assert.match(empty.rejected('open', { rows: 0, seatsPerRow: 1 }), /rows/);
});

test('a hold and a sale emit little', () => {
  const seats = event();
  const held = seats.send('hold', { seats: ['1-1'] });
  const sold = seats.send('confirm', { seats: ['1-1'] });
  assert.ok(
    held.patchBytes < 110 && sold.patchBytes < 160,
    `${held.patchBytes} ${sold.patchBytes}`,
  );
});

test('whatever many buyers do, every seat has at most one and the count is right', () => {
  fc.assert(
    fc.property(fc.commands(seatCommands(), { maxCommands: 60 }), (commands) => {
      fc.modelRun(() => ({ model: newModel(2, 2), real: event(2, 2) }), commands);
    }),
    { numRuns: 80 },
  );
});
