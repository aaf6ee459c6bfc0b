import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bytes,
  embedded,
  embeddeds,
  flag,
  messageReader,
  optionalUint,
  text,
  texts,
  uint,
  uints,
  WireReader,
} from '../src/index.js';

// protoscope notation in comments: a field's number, and its value.

const readInner = messageReader({ a: uint(1) });
const readAll = messageReader({
  count: uint(1),
  on: flag(2),
  name: text(3),
  blob: bytes(4),
  inner: embedded(5, readInner, undefined),
  many: embeddeds(6, readInner),
  names: texts(7),
  numbers: uints(8),
  maybe: optionalUint(9),
});

function read(...content: number[]) {
  return readAll(new WireReader(Uint8Array.from(content)));
}

test('fields that are left out have the defaults of proto3', () => {
  assert.deepEqual(read(), {
    ...{ count: 0, on: false, name: '', blob: new Uint8Array(0), inner: undefined },
    ...{ many: [], names: [], numbers: [], maybe: undefined },
  });
});

test('every kind of field is read as the encoding guide writes it', () => {
  // 1: 150, the guide's own example; 2: true; 3: {"hi"}; 4: {`ff`}
  assert.equal(read(0x08, 0x96, 0x01).count, 150);
  assert.equal(read(0x10, 1).on, true);
  assert.equal(read(0x1a, 2, 0x68, 0x69).name, 'hi');
  assert.deepEqual(read(0x22, 1, 0xff).blob, Uint8Array.of(0xff));
  // 5: {1: 7}; 6: {1: 1} 6: {1: 2}; 7: {"a"} 7: {"b"}
  assert.deepEqual(read(0x2a, 2, 0x08, 7).inner, { a: 7 });
  assert.deepEqual(read(0x32, 2, 0x08, 1, 0x32, 2, 0x08, 2).many, [{ a: 1 }, { a: 2 }]);
  assert.deepEqual(read(0x3a, 1, 0x61, 0x3a, 1, 0x62).names, ['a', 'b']);
});

test('an optional number is there when it is 0, and not when it is left out', () => {
  assert.equal(read(0x48, 0).maybe, 0);
  assert.equal(read(0x48, 7).maybe, 7);
  assert.equal(read().maybe, undefined);
});

test('numbers of a list come packed, each by itself, or both', () => {
  assert.deepEqual(read(0x42, 3, 1, 0x96, 0x01).numbers, [1, 150]);
  assert.deepEqual(read(0x40, 1, 0x40, 2).numbers, [1, 2]);
  assert.deepEqual(read(0x40, 1, 0x42, 2, 2, 3).numbers, [1, 2, 3]);
  assert.deepEqual(read(0x42, 0).numbers, []);
});

test('of a list with a limit that many numbers are taken, in whatever way they come', () => {
  const readFew = messageReader({ numbers: uints(8, 2) });
  const few = (...content: number[]) => readFew(new WireReader(Uint8Array.from(content))).numbers;
  assert.deepEqual(few(0x40, 1, 0x42, 1, 2), [1, 2]);
  for (const content of [
    [0x42, 3, 1, 2, 3],
    [0x40, 1, 0x40, 2, 0x40, 3],
    [0x42, 2, 1, 2, 0x40, 3],
  ]) {
    assert.throws(() => few(...content), { code: 'INVALID_ARGUMENT', message: /more than 2/ });
  }
});

test('lists of one message are not those of another', () => {
  assert.deepEqual(read(0x3a, 1, 0x61).names, ['a']);
  assert.deepEqual(read(0x3a, 1, 0x62).names, ['b']);
  assert.deepEqual(read().names, []);
});

test('the last of a field counts, whatever stands between', () => {
  assert.equal(read(0x08, 1, 0x1a, 1, 0x61, 0x08, 2).count, 2);
});

test('fields of other numbers and of other wire types are passed over', () => {
  // 10: 1; 10: {"x"}; 10: 8 bytes; 10: 4 bytes; then 1 as a string, and 1: 5
  const unknown = [0x50, 1, 0x52, 1, 0x78, 0x51, ...new Array(8).fill(0), 0x55, 0, 0, 0, 0];
  assert.deepEqual(read(...unknown, 0x0a, 1, 0x78, 0x08, 5), { ...read(), count: 5 });
});

test('what is cut off, at any depth, is refused', () => {
  const cut = [[0x08], [0x1a, 3, 0x68], [0x2a, 2, 0x08], [0x2a, 1, 0x08], [0x42, 1, 0x80], [0x0b]];
  for (const content of cut) {
    assert.throws(() => read(...content), { code: 'INVALID_ARGUMENT' }, String(content));
  }
});
