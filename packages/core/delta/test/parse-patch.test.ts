import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import type { Json } from '../src/json.js';
import { parsePatch } from '../src/parse-patch.js';

test('members that an operation does not define are ignored (RFC 6902 §4)', () => {
  const patch = parsePatch('[{"op":"remove","path":"/a","value":1,"from":"x","extra":[]}]');
  assert.deepEqual(patch, [{ op: 'remove', path: '/a' }]);
});

const REFUSED: readonly (readonly [string, number, RegExp])[] = [
  ['{}', 0, /array of operations/],
  ['null', 0, /array of operations/],
  ['[1]', 0, /not an object/],
  ['[[]]', 0, /not an object/],
  ['[{}]', 0, /"op" must be/],
  ['[{"op":"ADD","path":"","value":1}]', 0, /"op" must be/],
  ['[{"op":1,"path":"","value":1}]', 0, /"op" must be/],
  ['[{"op":"remove"}]', 0, /"path" must be a JSON pointer/],
  ['[{"op":"remove","path":1}]', 0, /"path" must be a JSON pointer/],
  ['[{"op":"remove","path":"a"}]', 0, /is not a JSON pointer/],
  ['[{"op":"remove","path":"/~"}]', 0, /is not a JSON pointer/],
  ['[{"op":"add","path":"/a"}]', 0, /"value" is missing/],
  ['[{"op":"replace","path":"/a"}]', 0, /"value" is missing/],
  ['[{"op":"test","path":"/a"}]', 0, /"value" is missing/],
  ['[{"op":"move","path":"/a"}]', 0, /"from" must be a JSON pointer/],
  ['[{"op":"copy","path":"/a","from":null}]', 0, /"from" must be a JSON pointer/],
  ['[{"op":"move","path":"/a","from":"b"}]', 0, /is not a JSON pointer/],
  ['[{"op":"remove","path":"/a"},{"op":"remove","path":"/b"},{"op":"x"}]', 2, /operation 2: /],
];

test('what is no patch is refused with the operation and what to do', () => {
  for (const [text, index, message] of REFUSED) {
    assert.throws(
      () => parsePatch(text),
      (thrown: unknown) =>
        thrown instanceof DeltabaseError &&
        thrown.code === 'BAD_PATCH' &&
        thrown.details['operation'] === index &&
        message.test(thrown.message),
      text,
    );
  }
});

test('a patch that is not JSON is refused as JSON is', () => {
  for (const text of [
    '',
    '[',
    '[{"op":"add","op":"remove","path":"/a"}]',
    '[{"op":"add","path":"","value":1e999}]',
  ]) {
    assert.throws(
      () => parsePatch(text),
      (thrown: unknown) => thrown instanceof DeltabaseError && thrown.code === 'INVALID_ARGUMENT',
    );
  }
});

test('values in a patch nest as deep as values in documents', () => {
  const deep = '['.repeat(3) + ']'.repeat(3);
  const text = `[{"op":"add","path":"/a","value":${deep}}]`;
  assert.doesNotThrow(() => parsePatch(text, { depthMax: 3 }));
  assert.throws(() => parsePatch(text, { depthMax: 2 }), DeltabaseError);
});

test('names are counted in everything an operation holds, ignored or not', () => {
  const accepted = [
    '[{"op":"remove","path":"/a","x":{"a":{"a":1}}}]',
    '[{"op":"add","path":"/a","value":{"op":1,"path":{"op":2}},"from":{"a":[{"a":1}]}}]',
    '[{"op":"move","path":"/a","from":"/b","value":{"a":1}}]',
  ];
  for (const text of accepted) assert.equal(parsePatch(text).length, 1);
  const refused = [
    '[{"op":"remove","path":"/a","path":"/b"}]',
    '[{"op":"remove","path":"/a","x":{"a":1,"a":2}}]',
    '[{"op":"add","path":"/a","value":{"a":1,"a":2}}]',
    '[{"op":"add","path":"/a","value":1,"value":2}]',
    '[{"op":"add","path":"/a","value":{"a":1,"a":2},"x":1}]',
  ];
  for (const text of refused) assert.throws(() => parsePatch(text), /repeats a name/, text);
});

test('strings anywhere in a patch are well-formed', () => {
  const refused = [
    '[{"op":"remove","path":"/\\ud800"}]',
    '[{"op":"move","from":"/\\udc00","path":""}]',
    '[{"op":"add","path":"","value":"\\ud800"}]',
    '[{"op":"add","path":"","value":["\\ud800"]}]',
    '[{"op":"remove","path":"/a","\\ud800":1}]',
  ];
  for (const text of refused) assert.throws(() => parsePatch(text), /lone surrogate/, text);
});

test('plain JavaScript is held to what JSON can say', () => {
  const refused = [
    [{ op: 'add', path: '', value: Number.NaN }],
    [{ op: 'add', path: '', value: new Date(0) }],
    [{ op: 'add', path: '', value: () => 1 }],
  ] as unknown as Json[];
  for (const patch of refused) assert.throws(() => parsePatch(patch), { code: 'INVALID_ARGUMENT' });
  const missing = [{ op: 'add', path: '', value: undefined }] as unknown as Json;
  assert.throws(() => parsePatch(missing), { code: 'BAD_PATCH' });
});
