// What a guest may not give to the host: addresses, bytes, numbers, sizes. Every host function is tried with
// each; the message fails with its code and the next one does not notice (LogicCannotHurtTheHost).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault } from './fault.js';
import { limitsWith, replyOf } from './harness.js';
import { script, type TextOf } from './script.js';

/** Calls of every host function that is given an address and a length. */
const RANGES: Record<string, (range: string) => string> = {
  read: (range) => `i32.const 0 ${range} call $read drop`,
  read_text: (range) => `i32.const 0 ${range} call $read_text drop`,
  read_number: (range) => `i32.const 0 ${range} call $read_number drop`,
  read_kind: (range) => `i32.const 1 ${range} call $read_kind drop`,
  read_count: (range) => `i32.const 1 ${range} call $read_count drop`,
  'read_keys, pointer': (range) =>
    `i32.const 0 ${range} i32.const 0 i32.const -1 i32.const 1 call $read_keys drop`,
  'read_keys, after': (range) =>
    `i32.const 0 i32.const 0 i32.const 0 ${range} i32.const 1 call $read_keys drop`,
  'emit, path': (range) => `i32.const 1 ${range} i32.const 0 i32.const 0 call $emit`,
  'emit, value': (range) => `i32.const 0 i32.const 0 i32.const 0 ${range} call $emit`,
  'emit, from': (range) => `i32.const 3 i32.const 0 i32.const 0 ${range} call $emit`,
  'emit_text, path': (range) => `i32.const 0 ${range} i32.const 0 i32.const 0 call $emit_text`,
  'emit_text, value': (range) => `i32.const 0 i32.const 0 i32.const 0 ${range} call $emit_text`,
  'emit_number, path': (range) => `i32.const 0 ${range} f64.const 1 call $emit_number`,
  reply: (range) => `${range} call $reply`,
  reply_text: (range) => `${range} call $reply_text`,
  reject: (range) => `${range} call $reject`,
  log: (range) => `i32.const 1 ${range} call $log`,
};

test('a range that is not within the memory is BAD_OUTPUT, to every host function', () => {
  const bytes = 65_536;
  const ranges = {
    'one byte beyond the end': [bytes - 3, 4],
    'behind the end': [bytes + 1, 0],
    'a negative address': [-1, 1],
    'an address and length whose sum wraps': [-16, 20],
    'a negative length': [8, -2],
  };
  for (const [call, code] of Object.entries(RANGES)) {
    for (const [what, [address, length]] of Object.entries(ranges)) {
      // -1 has a meaning to read_keys; a huge length is too long a pointer or patch before it is too far.
      const expected = isTooLong(call, length!) ? 'OUTPUT_TOO_LARGE' : 'BAD_OUTPUT';
      const range = `i32.const ${address} i32.const ${length}`;
      fault(expected, () => code(range), {
        state: { a: 1 },
        module: { memory: [1, 1] },
      });
      void what;
    }
  }
});

function isTooLong(call: string, length: number): boolean {
  if (length >= 0) return false;
  return /^(emit, (value|from)|emit_text, value|reply|reply_text)$/.test(call);
}

test('taking to where there is no room is BAD_OUTPUT', () => {
  for (const address of [65_536, 65_533, -1]) {
    const take = (text: TextOf) =>
      `i32.const 0 ${text('/name')} call $read_text drop i32.const ${address} call $take`;
    fault('BAD_OUTPUT', take, { state: { name: 'text' }, module: { memory: [1, 1] } });
  }
});

test('the end of memory is within it, also once it has grown', () => {
  const bench = script(
    (text) => `
      i32.const 0 ${text('/name')} call $read_text drop i32.const 65532 call $take
      i32.const 1 memory.grow drop
      i32.const 131068 call $take
      i32.const 131068 i32.const 4 call $reply_text`,
    { state: { name: 'text' } },
  );
  assert.equal(replyOf(bench.send('a')), 'text');
});

test('bytes that are not UTF-8 are BAD_OUTPUT, to every host function', () => {
  for (const bytes of [
    [0xff],
    [0xc3],
    [0xed, 0xa0, 0x80],
    [0xc0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
  ]) {
    for (const [call, code] of Object.entries(RANGES)) {
      const message = fault('BAD_OUTPUT', (text) => code(text(Uint8Array.from(bytes))), {
        state: { a: 1 },
      });
      assert.match(message, /not well-formed UTF-8/, call);
    }
  }
});

test('text that is not JSON is BAD_OUTPUT', () => {
  const bad = ['', 'nul', '{"a":1,}', '[1', '"\\ud800"', '1e999', '{"a":1,"a":2}', '[1] 2', "'x'"];
  for (const json of [...bad, '['.repeat(200) + ']'.repeat(200)]) {
    fault('BAD_OUTPUT', (text) => `${text(json)} call $reply`);
    fault('BAD_OUTPUT', (text) => `i32.const 0 ${text('')} ${text(json)} call $emit`);
  }
});

test('numbers that stand for nothing are BAD_OUTPUT', () => {
  for (const number of [-1, 2, 6, 2 ** 31 - 1]) {
    fault('BAD_OUTPUT', () => `i32.const ${number} i32.const 0 i32.const 0 call $read_kind drop`);
  }
  for (const operation of [-1, 6]) {
    const emit = `i32.const ${operation} i32.const 0 i32.const 0 i32.const 0 i32.const 0 call $emit`;
    fault('BAD_OUTPUT', () => emit);
  }
  for (const operation of [1, 3, 4, 7]) {
    const range = 'i32.const 0 i32.const 0';
    fault('BAD_OUTPUT', () => `i32.const ${operation} ${range} ${range} call $emit_text`);
    fault('BAD_OUTPUT', () => `i32.const ${operation} ${range} f64.const 1 call $emit_number`);
  }
  fault('BAD_OUTPUT', () => 'i32.const 4 i32.const 0 i32.const 0 call $log');
  fault('BAD_OUTPUT', (text) => `i32.const 0 ${text('no slash')} call $read_kind drop`);
  fault('BAD_OUTPUT', () => 'i32.const 0 i32.const 0 i32.const 5000 call $read_kind drop');
});

test('what is too large is OUTPUT_TOO_LARGE before it is decoded', () => {
  const limits = limitsWith({
    patchBytesMax: 2000,
    replyBytesMax: 1000,
    operationsPerDeltaMax: 10,
  });
  const emit = (bytes: number) =>
    `i32.const 0 i32.const 0 i32.const 0 i32.const 0 i32.const ${bytes}`;
  // The bytes are zeros: no JSON, which would be noticed first if they were looked at.
  fault('OUTPUT_TOO_LARGE', () => `${emit(2001)} call $emit`, { limits });
  fault('OUTPUT_TOO_LARGE', () => `${emit(2001)} call $emit_text`, { limits });
  fault('OUTPUT_TOO_LARGE', () => 'i32.const 0 i32.const 1001 call $reply', { limits });
  fault('OUTPUT_TOO_LARGE', () => 'i32.const 0 i32.const 1001 call $reply_text', { limits });
  const grown = `"${'\\u0001'.repeat(160)}"`;
  fault('OUTPUT_TOO_LARGE', (text) => `${text(JSON.parse(grown).repeat(2))} call $reply_text`, {
    limits,
  });
  const eleven = (text: TextOf) =>
    `i32.const 0 i32.const 0 i32.const 0 f64.const 1 call $emit_number `.repeat(11) +
    text('').slice(0, 0);
  fault('OUTPUT_TOO_LARGE', eleven, { limits });
  const long = (text: TextOf) =>
    `i32.const 0 ${text('')} ${text('x'.repeat(700))} call $emit_text `.repeat(3);
  fault('OUTPUT_TOO_LARGE', long, { limits });
});

test('a patch without end is stopped by its size', () => {
  const forever = (text: TextOf) =>
    `loop i32.const 0 ${text('/list/-')} ${text('x'.repeat(8000))} call $emit_text br 0 end`;
  const limits = limitsWith({ fuelPerMessageMax: 2 ** 30 });
  fault('OUTPUT_TOO_LARGE', forever, { limits, state: { list: [] } });
});

test('a document that would grow beyond its limit is DOCUMENT_TOO_LARGE', () => {
  const limits = limitsWith({ documentBytesMax: 10_000 });
  // Each copy holds all before it: the size doubles.
  const doubling = (text: TextOf) =>
    Array.from(
      { length: 30 },
      (_, i) => `i32.const 4 ${text(`/c${i}`)} ${text('')} call $emit`,
    ).join(' ');
  fault('DOCUMENT_TOO_LARGE', doubling, { limits, state: { a: 'x'.repeat(500) } });
});
