import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalBytes, canonicalJson } from '../src/canonical.js';
import { fromJson, type Json } from '../src/json.js';
import {
  encodePatch,
  type Operation,
  operationBytes,
  type Patch,
  patchBytes,
  slotOfOperation,
} from '../src/operation.js';
import { parsePatch } from '../src/parse-patch.js';
import { json, name } from './arbitraries.js';

const pointer = fc.array(name, { maxLength: 3 }).map((tokens) => {
  return tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    op: fc.constantFrom('add', 'replace', 'test'),
    path: pointer,
    value: json.map((value) => fromJson(value)),
  }),
  fc.record({ op: fc.constant('remove'), path: pointer }),
  fc.record({ op: fc.constantFrom('move', 'copy'), from: pointer, path: pointer }),
);

test('a patch is encoded as the canonical JSON of its list, and parsed back', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), (patch) => {
      const bytes = encodePatch(patch);
      assert.equal(patchBytes(patch), bytes.length);
      const plain = patch.map((each) => {
        return 'value' in each ? { ...each, value: JSON.parse(canonicalJson(each.value)) } : each;
      });
      assert.deepEqual(bytes, canonicalBytes(fromJson(plain as unknown as Json)));
      assert.deepEqual(encodePatch(parsePatch(bytes)), bytes);
      assert.deepEqual(encodePatch(parsePatch(Buffer.from(bytes).toString())), bytes);
      assert.deepEqual(encodePatch(parsePatch(plain as unknown as Json)), bytes);
    }),
    { numRuns: 150 },
  );
});

test('the length of an operation is known before it is written', () => {
  fc.assert(
    fc.property(operation, (each) => {
      assert.equal(operationBytes(each, slotOfOperation(each)), encodePatch([each]).length - 2);
    }),
    { numRuns: 150 },
  );
});

/** If one of these changes, the log of an older version can no longer be read: bump the format. */
const GOLDEN: readonly (readonly [Patch, string])[] = [
  [[], '[]'],
  [[{ op: 'add', path: '/a/-', value: 1.5 }], '[{"op":"add","path":"/a/-","value":1.5}]'],
  [[{ op: 'remove', path: '/a~1b' }], '[{"op":"remove","path":"/a~1b"}]'],
  [
    [{ op: 'replace', path: '', value: fromJson({ b: [1], a: '\u20ac' }) }],
    '[{"op":"replace","path":"","value":{"a":"\u20ac","b":[1]}}]',
  ],
  [
    [
      { op: 'move', from: '/x', path: '/y' },
      { op: 'copy', from: '/y', path: '/"' },
      { op: 'test', path: '/z', value: null },
    ],
    '[{"from":"/x","op":"move","path":"/y"},{"from":"/y","op":"copy","path":"/\\""},' +
      '{"op":"test","path":"/z","value":null}]',
  ],
];

test('the encodings of known patches are what they always were', () => {
  for (const [patch, text] of GOLDEN)
    assert.equal(Buffer.from(encodePatch(patch)).toString(), text);
});
