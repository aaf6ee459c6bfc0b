import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import fc from 'fast-check';
import { makeTally, toJson } from '../src/json.js';
import { parseValue } from '../src/parse.js';
import { parseTransient, parseWithin } from '../src/plain-json.js';
import { elementOf } from '../src/read.js';
import type { ArrayValue, ObjectValue, Value } from '../src/value.js';
import { json } from './arbitraries.js';
import { checkTree } from './check-tree.js';

/** JSON as messages have it: names out of order, repeated, alike; every kind of value, not too plain. */
const SCALARS = [
  ...['true', 'false', 'null', 'tru', '0', '-0', '-1', '12', '007', '-', '-x'],
  ...[
    '123456789012345',
    '1234567890123456',
    '98765432109876543217',
    '9007199254740993',
    '1.5',
    '-0.25e-3',
    '1E+9',
    '1e3',
    '2E1',
    '5e-324',
  ],
  ...[
    '1.',
    '.5',
    '1e',
    '1e400',
    '0.0',
    '-0.0',
    '01.5',
    '1.5.2',
    '1-2',
    '1.2345678901234567890123456789012',
  ],
  ...[
    '""',
    '"a"',
    '"\\n"',
    '"\u00e9"',
    `"${'x'.repeat(64)}"`,
    `"${'x'.repeat(65)}"`,
    '"',
    '"\u007f"',
  ],
  ...[' 1', '1 ', '\t\r\n 1', '\u00a01', '', '{', '[1,]', '{"a":1,}', '{"a" 1}'],
];
const NAMES = ['a', 'b', 'key', 'value', '__proto__', ''];
const blank = fc.constantFrom('', '', '', ' ', '\n', '\t\r ');
const plain = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...SCALARS),
    fc
      .tuple(fc.array(tie('value'), { maxLength: 5 }), blank)
      .map(([all, space]) => `[${space}${all.join(`${space},${space}`)}${space}]`),
    fc
      .tuple(fc.array(fc.tuple(fc.constantFrom(...NAMES), tie('value')), { maxLength: 4 }), blank)
      .map(([all, space]) => {
        const members = all.map(([name, value]) => `"${name}"${space}:${space}${value}`);
        return `{${space}${members.join(`${space},${space}`)}${space}}`;
      }),
  ),
})).value;

test('what is parsed as transient is what is parsed, errors and all', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        plain,
        json.map((each) => JSON.stringify(each)),
      ),
      same,
    ),
    { numRuns: 5000 },
  );
});

test('so is text that is cut, or has another byte somewhere', () => {
  const damaged = fc.tuple(plain, fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
    const bytes = Buffer.from(text);
    if (byte < 20) return bytes.subarray(0, at % (bytes.length + 1));
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(fc.property(damaged, same), { numRuns: 5000 });
});

test('what a node cannot hold, or is nested deep, is parsed all the same', () => {
  for (const length of [31, 32, 33, 100]) {
    const numbers = Array.from({ length }, (_, i) => i);
    same(JSON.stringify(numbers));
    same(JSON.stringify(Object.fromEntries(numbers.map((i) => [`k${i}`, i]))));
  }
  for (const depth of [7, 8, 9, 20]) same('['.repeat(depth) + ']'.repeat(depth));
  assert.throws(() => parseTransient(Buffer.from('[[1]]'), { depthMax: 1 }), {
    code: 'INVALID_ARGUMENT',
  });
  assert.deepEqual(toJson(parseTransient(Buffer.from('[[1]]'), { depthMax: 2 })), [[1]]);
});

test('objects that are parsed with one tally share their names', () => {
  const tally = makeTally();
  const parse = (text: string): Value => {
    return parseWithin(Buffer.from(text), 0, text.length, DEPTH, tally);
  };
  const one = parse('{"name":1,"other":2}') as ObjectValue;
  const two = elementOf(parse('[{"name":1,"other":3}]') as ArrayValue, 0) as ObjectValue;
  assert.equal(one.keys, two.keys);
  assert.throws(() => parse('{"name":1,"name":2}'), { details: { problem: 'name' } });
});

test('names of the text before are not taken for those of the next', () => {
  for (const text of [
    '{"key":1}',
    '{"keyx:1}',
    '{"keyx":1}',
    '{"key',
    '{"key"',
    '{"keys":1}',
    '{"ke":1}',
    '{"kez":1}',
    '{"a":{"key":1}}',
    '{"":1}',
  ]) {
    same(text);
    same(text);
  }
});

const DEPTH = DEFAULT_LIMITS.jsonDepthMax;

function same(text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const expected = outcome(() => parseValue(bytes));
  agree(
    expected,
    outcome(() => parseTransient(bytes)),
  );
  // What is around it has no part in it, whatever it looks like.
  for (const around of ['', '1', '"', ' ', '}']) {
    const all = Buffer.concat([Buffer.from(around), bytes, Buffer.from(around)]);
    agree(
      expected,
      outcome(() =>
        parseWithin(all, around.length, all.length - around.length, DEPTH, makeTally()),
      ),
    );
  }
}

function agree(expected: Value | DeltabaseError, actual: Value | DeltabaseError): void {
  if (expected instanceof DeltabaseError) {
    assert.ok(actual instanceof DeltabaseError);
    assert.equal(actual.message, expected.message);
    assert.deepEqual(actual.details, expected.details);
    return;
  }
  assert.ok(!(actual instanceof DeltabaseError));
  assert.deepEqual(actual, expected);
  checkTree(actual);
}

function outcome<T>(run: () => T): T | DeltabaseError {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof DeltabaseError) return thrown;
    throw thrown;
  }
}
