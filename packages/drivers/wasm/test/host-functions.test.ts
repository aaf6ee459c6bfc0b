// The guest ABI from the guest's side: docs/machine-abi.md, function by function.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import type { Json } from '@deltabase/delta';
import { codeOf, limitsWith, replyOf } from './harness.js';
import { REPLY_I32, REPLY_STAGED, runScript, script, TAKEN, type TextOf } from './script.js';

const LONG = 'é'.repeat(5000);
const STATE: Json = {
  n: 5,
  zero: 0,
  name: 'Zoë 🙂',
  yes: true,
  no: false,
  nothing: null,
  list: [1, 'two', { three: 3 }],
  'a/b~c': 'escaped',
  long: LONG,
};

/** Reads `pointer` of the state with the function `name` and replies with `then` of its result. */
function readWith(name: string, pointer: string, then: string, root = 0): Json | undefined {
  const write = (text: TextOf) => `i32.const ${root} ${text(pointer)} call $${name} ${then}`;
  return replyOf(runScript(write, { state: STATE, payload: STATE }));
}

test('read stages canonical JSON, take copies it', () => {
  assert.equal(readWith('read', '/list', REPLY_STAGED), '[1,"two",{"three":3}]');
  assert.equal(readWith('read', '/name', REPLY_STAGED), '"Zoë 🙂"');
  assert.equal(readWith('read', '/list/2', REPLY_STAGED, 1), '{"three":3}');
  assert.equal(readWith('read', '/long', REPLY_I32), 10_002);
  assert.equal(readWith('read', '/none', REPLY_I32), -1);
  assert.equal(readWith('read', '/list/3', REPLY_I32), -1);
  const whole = JSON.parse(readWith('read', '', REPLY_STAGED) as string);
  assert.deepEqual(whole, STATE);
});

test('read_text stages the text itself', () => {
  assert.equal(readWith('read_text', '/name', REPLY_STAGED), 'Zoë 🙂');
  assert.equal(readWith('read_text', '/a~1b~0c', REPLY_STAGED), 'escaped');
  assert.equal(readWith('read_text', '/long', REPLY_STAGED), LONG);
  assert.equal(readWith('read_text', '/none', REPLY_I32), -1);
  assert.equal(readWith('read_text', '/n', REPLY_I32), -2);
});

test('read_number, read_kind and read_count tell what is there', () => {
  const isNan = 'local.tee 2 local.get 2 f64.ne f64.convert_i32_s call $reply_number';
  assert.equal(readWith('read_number', '/n', 'call $reply_number'), 5);
  assert.equal(readWith('read_number', '/zero', isNan), 0);
  for (const pointer of ['/none', '/name', '/list', '/yes']) {
    assert.equal(readWith('read_number', pointer, isNan), 1, pointer);
  }
  const kinds = { none: 0, nothing: 1, no: 2, yes: 3, n: 4, name: 5, list: 6 };
  for (const [name, kind] of Object.entries(kinds)) {
    assert.equal(readWith('read_kind', `/${name}`, REPLY_I32), kind, name);
  }
  assert.equal(readWith('read_kind', '', REPLY_I32), 7);
  assert.equal(readWith('read_count', '/list', REPLY_I32), 3);
  assert.equal(readWith('read_count', '/list/2', REPLY_I32), 1);
  assert.equal(readWith('read_count', '/none', REPLY_I32), -1);
  assert.equal(readWith('read_count', '/name', REPLY_I32), -2);
});

/** The keys that `read_keys` stages, and what it returned. */
function keysOf(state: Json, after: string | undefined, max: number): string[] | number {
  const outcome = runScript(
    (text) => `i32.const 0 ${text('/o')}
      ${after === undefined ? 'i32.const 0 i32.const -1' : text(after)}
      i32.const ${max} call $read_keys local.tee 0
      i32.const 0 i32.lt_s if local.get 0 ${REPLY_I32} return end
      i32.const ${TAKEN} call $take
      block loop local.get 0 local.get 1 i32.le_s br_if 1
        i32.const 1 i32.const ${TAKEN} i32.const 4 i32.add local.get 1 i32.add
        i32.const ${TAKEN} local.get 1 i32.add i32.load call $log
        i32.const ${TAKEN} local.get 1 i32.add i32.load i32.const 4 i32.add
        local.get 1 i32.add local.set 1 br 0 end end`,
    { state: { o: state }, limits: limitsWith({ keysPerReadMax: 3, logLinesPerMessageMax: 99 }) },
  );
  const reply = replyOf(outcome);
  if (reply !== undefined) return reply as number;
  return outcome.logs.map((line) => line.replace(/^info: /, ''));
}

test('read_keys lists names in canonical order, from a place, as many as asked for', () => {
  const state = { b: 1, a: 2, ä: 3, '': 4, '🙂': 5, '\uffff': 6 };
  assert.deepEqual(keysOf(state, undefined, 2), ['', 'a']);
  assert.deepEqual(keysOf(state, 'a', 2), ['b', 'ä']);
  assert.deepEqual(keysOf(state, '', 1), ['a']);
  assert.deepEqual(keysOf(state, 'aa', 1), ['b'], 'the name need not be there');
  assert.deepEqual(keysOf(state, 'ä', 9), ['🙂', '\uffff'], 'by UTF-16 code units');
  assert.deepEqual(keysOf(state, undefined, -1), ['', 'a', 'b'], 'at most what the limits allow');
  assert.deepEqual(keysOf(state, '\uffff', 1), []);
  assert.deepEqual(keysOf(state, undefined, 0), []);
  assert.equal(keysOf([1], undefined, 1), -2);
  assert.equal(keysOf('text', undefined, 1), -2);
});

test('context tells who, where and what', () => {
  const fields = ['space', 'key', 'channel', 'principal', 'messageId'] as const;
  const call = { space: 'shop', key: 'o/ü', principal: '', messageId: 's/9' };
  const expected = { ...call, channel: 'a' };
  for (const [i, field] of fields.entries()) {
    const outcome = runScript(() => `i32.const ${i} call $context ${REPLY_STAGED}`, { call });
    assert.equal(replyOf(outcome), expected[field]);
  }
  for (const field of [5, -1]) {
    const outcome = runScript(() => `i32.const ${field} call $context drop`);
    assert.equal(codeOf(outcome), 'BAD_OUTPUT');
  }
});

test('operations take effect at once and in order, and later reads see them', () => {
  const outcome = runScript(
    (text) => `
      i32.const 0 ${text('/a')} ${text('{"x":[1,2]}')} call $emit
      i32.const 0 ${text('/a/x/-')} f64.const 3.5 call $emit_number
      i32.const 2 ${text('/a/x/0')} ${text('"quoted" ü')} call $emit_text
      i32.const 4 ${text('/b')} ${text('/a/x')} call $emit
      i32.const 3 ${text('/c')} ${text('/n')} call $emit
      i32.const 1 ${text('/b/1')} i32.const 0 i32.const 0 call $emit
      i32.const 5 ${text('/c')} ${text('5')} call $emit
      i32.const 0 ${text('')} call $read ${REPLY_STAGED}`,
    { state: { n: 5 } },
  );
  const state = { a: { x: ['"quoted" ü', 2, 3.5] }, b: ['"quoted" ü', 3.5], c: 5 };
  assert.deepEqual(outcome.state, state);
  assert.equal(replyOf(outcome), JSON.stringify(state));
});

test('an operation that does not fit ends the message with BAD_PATCH', () => {
  const cases: readonly ((text: TextOf) => string)[] = [
    (text) => `i32.const 2 ${text('/missing')} f64.const 1 call $emit_number`,
    (text) => `i32.const 1 ${text('/missing')} i32.const 0 i32.const 0 call $emit`,
    (text) => `i32.const 0 ${text('/x/y')} f64.const 1 call $emit_number`,
    (text) => `i32.const 5 ${text('/n')} f64.const 1 call $emit_number`,
    (text) => `i32.const 3 ${text('/b')} ${text('/missing')} call $emit`,
    (text) => `i32.const 0 ${text('n')} f64.const 1 call $emit_number`,
    (text) => `i32.const 0 ${text('/a~2')} f64.const 1 call $emit_number`,
  ];
  for (const write of cases) {
    const first = (text: TextOf) => `i32.const 2 ${text('/n')} f64.const 6 call $emit_number`;
    const outcome = runScript((text) => `${first(text)} ${write(text)}`, { state: { n: 5 } });
    assert.equal(codeOf(outcome), 'BAD_PATCH');
    assert.deepEqual(outcome.state, { n: 5 }, 'nothing of it took effect');
  }
});

test('numbers reach the document as JSON has them', () => {
  const emit = (value: string) =>
    runScript((text) => `i32.const 0 ${text('')} f64.const ${value} call $emit_number`);
  assert.equal(Object.is(emit('-0').state, 0), true);
  assert.equal(emit('1e300').state, 1e300);
  for (const value of ['NaN', 'Infinity', '-Infinity']) {
    assert.equal(codeOf(emit(value)), 'BAD_OUTPUT', value);
    assert.equal(codeOf(runScript(() => `f64.const ${value} call $reply_number`)), 'BAD_OUTPUT');
  }
});

test('a reply is canonical JSON; of several the last counts', () => {
  const json = runScript((text) => `${text(' {"b":1.0, "a":"\\u0041"} ')} call $reply`);
  assert.equal(json.kind === 'done' && String(Buffer.from(json.reply!)), '{"a":"A","b":1}');
  const last = runScript((text) => `f64.const 1 call $reply_number ${text('x')} call $reply_text`);
  assert.equal(replyOf(last), 'x');
  assert.equal(replyOf(runScript(() => '')), undefined);
});

test('a rejection undoes the message and tells its reason', () => {
  const outcome = runScript(
    (text) => `i32.const 0 ${text('/n')} f64.const 9 call $emit_number
      f64.const 1 call $reply_number ${text('no seats left ü')} call $reject unreachable`,
    { state: { n: 5 } },
  );
  assert.equal(codeOf(outcome), 'REJECTED');
  assert.equal(outcome.kind === 'failed' && outcome.message, 'no seats left ü');
  assert.deepEqual(outcome.state, { n: 5 });
});

test('a reason beyond its limit is cut between two characters', () => {
  const limits = limitsWith({ rejectionBytesMax: 4 });
  const reason = (text: string) => {
    const outcome = runScript((write) => `${write(text)} call $reject`, { limits });
    return outcome.kind === 'failed' ? outcome.message : '';
  };
  assert.equal(reason('abcdef'), 'abcd');
  assert.equal(reason('aéßü'), 'aé');
  assert.equal(reason('a🙂b'), 'a');
  assert.equal(reason('🙂b'), '🙂');
});

test('now and random are the message’s own', () => {
  const now = runScript(() => 'call $now call $reply_number', { call: { time: 1234567890123 } });
  assert.equal(replyOf(now), 1234567890123);
  const draws = (seed: number) => {
    const three = 'call $random local.set 0 '.repeat(2);
    return replyOf(runScript(() => `${three} call $random ${REPLY_I32}`, { call: { seed } }));
  };
  const prng = makePrng(77);
  const expected = [prng.next(), prng.next(), prng.next()].at(-1)! | 0;
  assert.equal(draws(77), expected);
  assert.notEqual(draws(78), expected);
});

test('log lines have their level, are cut and at most so many', () => {
  const limits = limitsWith({ logLinesPerMessageMax: 5, logLineBytesMax: 6 });
  const outcome = runScript(
    (text) =>
      ['debüg', 'info', 'warning', 'error', 'more', 'lost']
        .map((line, i) => `i32.const ${i & 3} ${text(line)} call $log`)
        .join(' '),
    { limits },
  );
  assert.deepEqual(outcome.logs, [
    'debug: debüg',
    'info: info',
    'warn: warnin',
    'error: error',
    'debug: more',
  ]);
});

test('a failed message keeps its log lines', () => {
  const outcome = runScript((text) => `i32.const 3 ${text('why')} call $log unreachable`);
  assert.equal(codeOf(outcome), 'TRAPPED');
  assert.deepEqual(outcome.logs, ['error: why']);
});

test('a new document is initialised before its first message, and only then', () => {
  const bench = script((text) => `i32.const 2 ${text('/n')} f64.const 2 call $emit_number`, {
    module: {
      data: [
        [0, '{"n":1}'],
        [16, '/n'],
      ],
      functions: {
        init: 'i32.const 0 i32.const 0 i32.const 0 i32.const 0 i32.const 7 call $emit',
      },
    },
  });
  assert.equal(codeOf(bench.send('a')), 'BAD_PATCH', 'without init there is no /n');
  assert.equal(bench.send('a', null, { create: true }).kind, 'done');
  assert.deepEqual(bench.state(), { n: 2 });
});

test('the same text can be taken twice, and nothing is taken before something is staged', () => {
  const outcome = runScript(
    (text) => `i32.const ${TAKEN} call $take
      i32.const 0 ${text('/name')} call $read_text local.set 0
      i32.const ${TAKEN} call $take i32.const ${TAKEN} local.get 0 i32.add call $take
      i32.const ${TAKEN} local.get 0 local.get 0 i32.add call $reply_text`,
    { state: { name: 'ab' } },
  );
  assert.equal(replyOf(outcome), 'abab');
});
