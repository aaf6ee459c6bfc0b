import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonLine, printable, printableJson } from '../../src/format/printable.js';

test('text of others cannot move the cursor, color, or turn a line around', () => {
  assert.equal(printable('a\u001b[31mb'), 'a\\u001b[31mb');
  assert.equal(printable('\u009b2J'), '\\u009b2J');
  assert.equal(printable('a\nb\tc\u007f'), 'a\\nb\\tc\\u007f');
  assert.equal(printable('\u202eevil\u2066'), '\\u202eevil\\u2066');
  assert.equal(printable('\ud800x'), '\\ud800x');
});

test('what people write stays as it is', () => {
  for (const text of ['visits', 'Größe', '日本語', '👩‍👩‍👧', 'a/b~1c', '"quoted"']) {
    assert.equal(printable(text), text);
  }
});

test('JSON in one line keeps its meaning and holds nothing that a terminal acts on but its end', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const line = jsonLine(value);
      assert.equal(line, `${printable(line.slice(0, -1))}\n`);
      assert.deepEqual(JSON.parse(line), JSON.parse(JSON.stringify(value)));
    }),
  );
  assert.equal(
    jsonLine({ a: '\u009b31m\u202e\u2028\u200f\u007f\ud800' }),
    '{"a":"\\u009b31m\\u202e\\u2028\\u200f\\u007f\\ud800"}\n',
  );
});

test('JSON over several lines keeps its meaning and holds nothing that a terminal acts on', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const text = printableJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
  );
  assert.equal(printableJson({ a: ['\u0085'] }), '{\n  "a": [\n    "\\u0085"\n  ]\n}');
});
