import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import fc from 'fast-check';
import { canonicalJson } from '../src/canonical.js';
import { fromJson, type Json, toJson } from '../src/json.js';
import { parseValue } from '../src/parse.js';
import { json, wideJson } from './arbitraries.js';
import { checkTree } from './check-tree.js';

test('JSON text and its bytes are parsed as JSON.parse does', () => {
  fc.assert(
    fc.property(wideJson, fc.nat({ max: 3 }), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const parsed = parseValue(text);
      checkTree(parsed);
      assert.deepEqual(toJson(parsed), JSON.parse(text));
      assert.equal(canonicalJson(parseValue(Buffer.from(text))), canonicalJson(parsed));
    }),
    { numRuns: 120 },
  );
});

test('damaged text is refused exactly where JSON.parse refuses it', () => {
  const marks = [...'{}[]:,"\\0-+.eEtfn \u0000\n'];
  const damage = fc.array(fc.tuple(fc.nat({ max: 60 }), fc.constantFrom(...marks)), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(json, damage, (value, marksAt) => {
      const units = [...JSON.stringify(value)];
      for (const [at, mark] of marksAt) units.splice(at % (units.length + 1), at % 2, mark);
      const text = units.join('');
      const expected = reference(text);
      if (expected === undefined) assert.throws(() => parseValue(text), DeltabaseError);
      else assert.equal(canonicalJson(parseValue(text)), expected);
    }),
    { numRuns: 1000 },
  );
});

const REFUSED: readonly (readonly [string, string | Uint8Array])[] = [
  ['encoding', Uint8Array.of(0x22, 0xff, 0x22)],
  ['encoding', Uint8Array.of(0x22, 0xc0, 0x80, 0x22)],
  ['encoding', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
  ['encoding', Uint8Array.of(0x22, 0xe2, 0x82, 0x22)],
  ['syntax', ''],
  ['syntax', ' '],
  ['syntax', '{'],
  ['syntax', '{"a":1,}'],
  ['syntax', '[1,]'],
  ['syntax', '01'],
  ['syntax', '+1'],
  ['syntax', '.5'],
  ['syntax', '1.'],
  ['syntax', "'a'"],
  ['syntax', '"\n"'],
  ['syntax', '"\\x41"'],
  ['syntax', 'NaN'],
  ['syntax', '1 2'],
  ['syntax', '\ufeff1'],
  ['syntax', Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)],
  ['syntax', '// comment\n1'],
  ['surrogate', '"\\ud800"'],
  ['surrogate', '["\\udc00\\ud800"]'],
  ['surrogate', '{"\\ud83d":1}'],
  ['surrogate', '"\ud800"'],
  ['number', '1e999'],
  ['number', '[-1e400]'],
  ['name', '{"a":1,"a":1}'],
  ['name', '[{"b":{"a":1,"\\u0061":2}}]'],
  ['name', '{"__proto__":1,"__proto__":2}'],
];

test('what I-JSON does not allow is refused with its reason', () => {
  for (const [problem, text] of REFUSED) {
    assert.throws(
      () => parseValue(text),
      (thrown: unknown) =>
        thrown instanceof DeltabaseError &&
        thrown.code === 'INVALID_ARGUMENT' &&
        thrown.details['problem'] === problem,
      `${problem}: ${text}`,
    );
  }
});

test('names that only look repeated are accepted', () => {
  for (const text of [
    '{"a":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":":","b":"\\":\\""}',
    '{"a\\\\":1,"a":2}',
  ]) {
    assert.equal(
      canonicalJson(parseValue(text)),
      canonicalJson(parseValue(JSON.stringify(JSON.parse(text)))),
    );
  }
});

test('nesting bombs are refused at once', () => {
  const depths = [129, 10_000, 2_000_000];
  for (const depth of depths) {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
      ['[{"":', '}]'],
    ] as const) {
      const start = process.hrtime.bigint();
      assert.throws(
        () => parseValue(open.repeat(depth) + 1 + close.repeat(depth)),
        /nested deeper/,
      );
      assert.throws(() => parseValue(open.repeat(depth)), /nested deeper/);
      assert.ok(process.hrtime.bigint() - start < 2_000_000_000n);
    }
  }
  assert.doesNotThrow(() => parseValue('['.repeat(128) + ']'.repeat(128)));
  assert.doesNotThrow(() => parseValue(`"${'['.repeat(500)}"`));
  assert.throws(() => parseValue('[[1]]', { depthMax: 1 }), /nested deeper than 1/);
});

test('bytes in a larger buffer are parsed by themselves', () => {
  const bytes = Buffer.from('xx[1,2]yy');
  assert.equal(canonicalJson(parseValue(bytes.subarray(2, 7))), '[1,2]');
});

/** The canonical JSON of `text`, or `undefined` where it is not I-JSON. */
function reference(text: string): string | undefined {
  try {
    const value = fromJson(JSON.parse(text) as Json);
    return repeatsName(text) ? undefined : canonicalJson(value);
  } catch {
    return undefined;
  }
}

/** Whether an object of valid JSON text repeats a name: one set of names for each open object. */
function repeatsName(text: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (name !== undefined) {
      const names = open.at(-1)!;
      const unescaped = JSON.parse(name) as string;
      if (names.has(unescaped)) return true;
      names.add(unescaped);
    }
  }
  return false;
}
