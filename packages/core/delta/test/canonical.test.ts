import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalBytes, canonicalJson } from '../src/canonical.js';
import { fromJson, type Json, toJson } from '../src/json.js';
import { parseValue } from '../src/parse.js';
import { membersOf } from '../src/read.js';
import type { ObjectValue } from '../src/value.js';
import { wideJson } from './arbitraries.js';

test('text and bytes are the same, and parse to the same value', () => {
  fc.assert(
    fc.property(wideJson, (json) => {
      const value = fromJson(json);
      const text = canonicalJson(value);
      assert.equal(Buffer.from(canonicalBytes(value)).toString(), text);
      assert.equal(canonicalJson(parseValue(text)), text);
      assert.deepEqual(JSON.parse(text), toJson(value));
    }),
    { numRuns: 120 },
  );
});

test('the sample of RFC 8785 §3.2.2 becomes that of §3.2.3, and its bytes those of §3.2.4', () => {
  const given = `{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
    "literals": [null, true, false]
  }`;
  const value = parseValue(given);
  assert.equal(
    canonicalJson(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
  assert.equal(
    Buffer.from(canonicalBytes(value)).toString('hex'),
    '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b333333333333' +
      '3333332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282' +
      'ac245c75303030665c6e4127425c225c5c5c5c5c222f227d',
  );
});

test('names are sorted by UTF-16 code units, as RFC 8785 §3.2.3 shows', () => {
  const value = fromJson({
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  });
  assert.deepEqual(
    [...membersOf(value as ObjectValue)].map(([, name]) => name),
    [
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ],
  );
});

/** RFC 8785 appendix B: IEEE 754 bits and their text. */
const NUMBERS: readonly (readonly [string, string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

test('numbers are written as RFC 8785 appendix B lists them', () => {
  for (const [bits, text] of NUMBERS) {
    const number = Buffer.from(bits, 'hex').readDoubleBE();
    assert.equal(canonicalJson(fromJson(number)), text);
    assert.equal(Buffer.from(canonicalBytes(fromJson([number, 1]))).toString(), `[${text},1]`);
  }
});

test('whole numbers are written digit by digit as JSON.stringify does', () => {
  for (let digits = 0; digits <= 22; digits++) {
    for (const number of [
      10 ** digits - 1,
      10 ** digits,
      10 ** digits + 1,
      2 ** (3 * digits) - 1,
    ]) {
      for (const each of [number, -number, number * 9, number / 8]) {
        const bytes = canonicalBytes(fromJson([each]));
        assert.equal(Buffer.from(bytes).toString(), JSON.stringify([each]));
      }
    }
  }
});

test('strings of every length and alphabet are written as JSON.stringify does', () => {
  const alphabets = [
    'a',
    '"',
    '\\',
    '\n',
    '\u0001',
    '\u007f',
    '\u0080',
    '\u20ac',
    '\u2028',
    '\u{1f600}',
  ];
  for (const alphabet of alphabets) {
    for (const length of [0, 1, 2, 63, 64, 65, 66, 1000]) {
      const text = 'x'.repeat(length >> 1) + alphabet.repeat(length);
      const json: Json = { [text]: text };
      assert.equal(Buffer.from(canonicalBytes(fromJson(json))).toString(), JSON.stringify(json));
      assert.equal(canonicalJson(fromJson(json)), JSON.stringify(json));
      assert.equal(Buffer.from(canonicalBytes(fromJson(text))).toString(), JSON.stringify(text));
    }
  }
});
