import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueInDelta } from '../src/fanout/deltabase-watches.js';
import {
  keyValueIn,
  putRequest,
  statusIn,
  versionIn,
  watchRequest,
  watchResponse,
} from '../src/fanout/etcd-protocol.js';
import { nthValue, writeOf } from '../src/fanout/watched.js';
import { Window } from '../src/fanout/window.js';
import { FieldWriter, readFields } from '../src/raw/protobuf.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('fields are written and read back, whatever their number and size', () => {
  const long = 'x'.repeat(300);
  const bytes = new FieldWriter()
    .number(1, 0)
    .number(2, 2 ** 40)
    .bytes(1000, long)
    .finish();
  const found: [number, number, number][] = [];
  readFields(bytes, 0, bytes.length, (field, value, start, end) => {
    found.push([field, value, end - start]);
  });
  assert.deepEqual(found, [
    [1, 0, 0],
    [2, 2 ** 40, 0],
    [1000, 0, 300],
  ]);
});

test('a message that is cut off, or of an unknown wire type, is refused', () => {
  const whole = new FieldWriter().bytes(1, 'abc').finish();
  const read = (bytes: Uint8Array): void => readFields(bytes, 0, bytes.length, () => {});
  assert.throws(() => read(whole.subarray(0, 4)), /field 1 is cut off/);
  assert.throws(() => read(Buffer.from([0x08, 0x80])), /a number is cut off/);
  assert.throws(() => read(Buffer.from([0x0b])), /wire type 3/);
});

test("requests to etcd have the bytes of etcd's API", () => {
  assert.equal(hex(putRequest('k', 'v')), '0a016b120176');
  assert.equal(hex(watchRequest('k')), '0a030a016b');
});

test("etcd's answers are read: key-values, members, what a watch brings", () => {
  const keyValue = new FieldWriter()
    .bytes(1, 'k')
    .number(2, 5)
    .number(3, 9)
    .number(4, 3)
    .bytes(5, 'v');
  const range = new FieldWriter().bytes(1, '').bytes(2, keyValue.finish()).number(4, 1).finish();
  assert.deepEqual(keyValueIn(range), { version: 3, value: 'v' });
  assert.throws(() => keyValueIn(Buffer.alloc(0)), /not there/);

  const header = new FieldWriter().number(1, 77).number(2, 12).number(3, 9).finish();
  const status = new FieldWriter().bytes(1, header).bytes(2, '3.4.23').number(4, 12).finish();
  assert.deepEqual(statusIn(status), { member: '12', leader: '12' });

  const event = new FieldWriter().bytes(2, keyValue.finish()).finish();
  const watch = new FieldWriter().bytes(1, header).number(2, 6).bytes(11, event).bytes(11, event);
  const { watchId, isCreated, isCanceled, events } = watchResponse(watch.finish());
  assert.deepEqual(
    { watchId, isCreated, isCanceled },
    { watchId: 6, isCreated: false, isCanceled: false },
  );
  assert.deepEqual(events.map(versionIn), [3, 3]);
  const created = watchResponse(new FieldWriter().number(3, 1).finish());
  assert.ok(created.isCreated && created.events.length === 0);
});

test('the value in one of our deltas is found', () => {
  const patch = JSON.stringify([{ op: 'replace', path: '/value', value: '7 abc' }]);
  assert.equal(valueInDelta(new FieldWriter().number(1, 7).bytes(2, patch).finish()), '7 abc');
});

test('a value names its write and has the length of the fill', () => {
  const value = nthValue(12, 'abcdef');
  assert.equal(value, '12 abc');
  assert.equal(writeOf(value), 12);
});

test('lateness is from the sending of a write to its arrival, over all watchers and writes', () => {
  const window = new Window(2, (event) => Buffer.from(event).toString());
  const arrive = (watcher: number, version: number, write: number, atMs: number): void =>
    window.note(watcher, { version, event: Buffer.from(nthValue(write, 'abcdef')), atMs });
  window.begin(5, 2);
  arrive(0, 4, 4, 1);
  // The second write took effect first.
  for (const watcher of [0, 1]) {
    arrive(watcher, 5, 6, 30 + watcher);
    arrive(watcher, 6, 5, 40 + watcher);
  }
  assert.deepEqual(window.lateness([10, 20]), { delivered: 4, p50Ms: 30, p99Ms: 31 });
});

test('a write that came twice, or never, is no measurement', () => {
  const window = new Window(1, (event) => Buffer.from(event).toString());
  window.begin(1, 2);
  for (const version of [1, 2]) {
    window.note(0, { version, event: Buffer.from(nthValue(1, 'abcdef')), atMs: 1 });
  }
  assert.throws(() => window.lateness([0, 0]), /not those that were sent/);
});
