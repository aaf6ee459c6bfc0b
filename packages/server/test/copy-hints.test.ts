import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentName } from '@deltabase/engine';
import { CopyHints } from '../src/services/copy-hints.js';
import { codecOf } from './support/test-client.js';

const { decode } = codecOf('deltabase.v1.WatchResponse');
const X = { space: 'list', key: 'x' };
const Y = { space: 'list', key: 'y' };

function setUp() {
  const copies = new Map<string, readonly string[]>();
  let changed: ((document: DocumentName) => void) | undefined;
  const hints = new CopyHints({
    copiesOf: ({ key }) => copies.get(key) ?? [],
    followCopies(listener) {
      changed = listener;
      return () => {};
    },
  });
  const set = (document: DocumentName, addresses: readonly string[]): void => {
    copies.set(document.key, addresses);
    changed!(document);
  };
  const follow = (document: DocumentName) => {
    const told: string[][] = [];
    return { told, stop: hints.follow(document, (response) => told.push(decode(response).copies)) };
  };
  return { hints, set, follow };
}

test('whoever follows a document is told of its copies when they change, and of no others', () => {
  const { hints, set, follow } = setUp();
  const [first, second, other] = [follow(X), follow(X), follow(Y)];
  set(X, ['a:1']);
  set(X, ['a:1', 'b:1']);
  assert.deepEqual(hints.of(X), ['a:1', 'b:1']);
  assert.deepEqual(first.told, [['a:1'], ['a:1', 'b:1']]);
  assert.deepEqual(second.told, first.told);
  assert.deepEqual(other.told, []);
});

test('that there are none any more is no reason to go, and is not told', () => {
  const { set, follow } = setUp();
  const { told } = follow(X);
  set(X, ['a:1']);
  set(X, []);
  assert.deepEqual(told, [['a:1']]);
});

test('who has stopped is not told, and others are', () => {
  const { set, follow } = setUp();
  const [first, second] = [follow(X), follow(X)];
  first.stop();
  set(X, ['a:1']);
  second.stop();
  const third = follow(X);
  // Stopping again must not stop who came since.
  second.stop();
  set(X, ['b:1']);
  assert.deepEqual([first.told, second.told, third.told], [[], [['a:1']], [['b:1']]]);
});
