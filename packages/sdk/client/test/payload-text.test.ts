import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '@deltabase/delta';
import { payloadText } from '../src/sending/payload-text.js';

/** What callers without types pass. */
const textOf = (payload: unknown): string => payloadText(payload as Json | undefined);

function assertRefused(payload: unknown, message: RegExp): void {
  assert.throws(() => textOf(payload), { code: 'INVALID_ARGUMENT', message });
}

test('a payload is sent as JSON says it', () => {
  assert.equal(textOf(undefined), '');
  assert.equal(textOf(null), 'null');
  assert.equal(
    textOf({ a: null, b: [null, 'null'], c: -0, d: 1e21 }),
    '{"a":null,"b":[null,"null"],"c":0,"d":1e+21}',
  );
  assert.equal(textOf({ a: undefined, b: 1, c: () => 1 }), '{"b":1}');
  assert.equal(textOf({ at: new Date(0), a: null }), '{"at":"1970-01-01T00:00:00.000Z","a":null}');
});

test('what JSON has no word for is refused, not sent as null', () => {
  for (const number of [Number.NaN, Infinity, -Infinity]) {
    assertRefused(number, /^the payload: JSON has no (NaN|-?Infinity)$/);
    assertRefused({ by: number }, /JSON has no -?\w+, as "by" has it/);
    assertRefused({ list: [1, [number]] }, /JSON has no/);
  }
  assertRefused({ by: Object(Number.NaN) }, /JSON has no NaN, as "by" has it/);
  assertRefused({ at: new Date(Number.NaN) }, /JSON has no invalid date, as "at" has it/);
  assertRefused([1, undefined], /element 1 of an array is undefined/);
  assertRefused([() => 1], /element 0 of an array is function/);
  assertRefused([Symbol('a')], /element 0 of an array is symbol/);
});

test('what JSON cannot say at all is refused, and says why', () => {
  for (const nothing of [() => 1, Symbol('a')]) assertRefused(nothing, /nothing that JSON can say/);
  assertRefused({ n: 1n }, /BigInt/);
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  assertRefused(circle, /circular/);
  let deep: unknown = [];
  for (let depth = 0; depth < 100_000; depth++) deep = [deep];
  assertRefused(deep, /nested too deep/);
});
