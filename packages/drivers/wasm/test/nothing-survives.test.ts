// NothingSurvivesAnInstance: a machine that tries everything to remember something of an earlier message.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { Draft } from '@deltabase/delta';
import type { ModuleSource } from './assembler.js';
import { assemble } from './assembler.js';
import { benchOf, callOf, codeOf, HOST_IMPORTS, hostNow, loadOn, replyOf } from './harness.js';

/** Ways to leave something behind, each with a function that tells (as a number) whether it is there. */
const WAYS: Record<string, { leave: string; see: string; at: number }> = {
  'memory below the image’s end': {
    leave: 'i32.const 4 i32.const 77 i32.store',
    see: 'i32.const 4 i32.load',
    at: 0x01010101,
  },
  'memory behind the image’s end': {
    leave: 'i32.const 60000 i32.const 77 i32.store',
    see: 'i32.const 60000 i32.load',
    at: 0,
  },
  'the last byte of memory': {
    leave: 'i32.const 65535 i32.const 77 i32.store8',
    see: 'i32.const 65535 i32.load8_u',
    at: 0,
  },
  'a global of 32 bits': { leave: 'i32.const 77 global.set 0', see: 'global.get 0', at: 5 },
  'a global of 64 bits': {
    leave: 'i64.const 77 global.set 1',
    see: 'global.get 1 i32.wrap_i64',
    at: 6,
  },
  'a global with a float': {
    leave: 'f64.const 77 global.set 2',
    see: 'global.get 2 i32.trunc_f64_s',
    at: 7,
  },
  'a global with a vector': {
    leave: 'i32.const 77 i32x4.splat global.set 3',
    see: 'global.get 3 i32x4.extract_lane 2',
    at: 0,
  },
  'a global with a reference': {
    leave: 'ref.func $on_leave global.set 4',
    see: 'global.get 4 ref.is_null',
    at: 1,
  },
  'an element of a table': {
    leave: 'i32.const 1 ref.func $on_leave table.set 0',
    see: 'i32.const 1 table.get 0 ref.is_null',
    at: 1,
  },
  'elements copied within a table': {
    leave: 'i32.const 1 i32.const 0 i32.const 1 table.copy 0 0',
    see: 'i32.const 1 table.get 0 ref.is_null',
    at: 1,
  },
  'elements out of a segment': {
    leave: 'i32.const 1 i32.const 0 i32.const 1 table.init 1 0',
    see: 'i32.const 1 table.get 0 ref.is_null',
    at: 1,
  },
  'a table filled': {
    leave: 'i32.const 0 ref.null funcref i32.const 1 table.fill 0',
    see: 'i32.const 0 table.get 0 ref.is_null',
    at: 0,
  },
  'the size of a table': {
    leave: 'ref.null funcref i32.const 2 table.grow 0 drop',
    see: 'table.size 0',
    at: 3,
  },
  'a dropped data segment': {
    leave: 'data.drop 1',
    see: 'i32.const 70 i32.const 0 i32.const 1 memory.init 1 i32.const 70 i32.load8_u',
    at: 9,
  },
  'a dropped element segment': {
    leave: 'elem.drop 1',
    see: 'i32.const 2 i32.const 0 i32.const 1 table.init 1 0 i32.const 3',
    at: 3,
  },
  'the size of memory': { leave: 'i32.const 1 memory.grow drop', see: 'memory.size', at: 1 },
  'memory that was grown': {
    leave: 'i32.const 1 memory.grow drop i32.const 65536 i32.const 77 i32.store',
    see: 'i32.const 1 memory.grow drop i32.const 65536 i32.load',
    at: 0,
  },
};

function machineOf({ leave, see }: { leave: string; see: string }): ModuleSource {
  return {
    imports: HOST_IMPORTS,
    memory: [1, 4],
    tables: [[3, 10]],
    globals: [
      'mut i32 1',
      'mut i64 1',
      'mut f64 1',
      'mut v128 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16',
      'mut funcref',
    ],
    elements: ['on_leave'],
    passiveElements: [['on_leave']],
    data: [[0, Uint8Array.from({ length: 64 }, () => 1)]],
    passiveData: [Uint8Array.of(9)],
    start: 'start',
    functions: {
      on_leave: leave,
      on_reject: `${leave} i32.const 0 i32.const 1 call $reject`,
      on_fail: `${leave} i32.const 9 i32.const 0 i32.const 0 call $read_kind drop`,
      on_trap: `${leave} unreachable`,
      on_loop: `${leave} loop br 0 end`,
      on_see: `${see} f64.convert_i32_s call $reply_number`,
      start: `i32.const 5 global.set 0 i64.const 6 global.set 1 f64.const 7 global.set 2
        i32.const 0 i32x4.splat global.set 3`,
    },
  };
}

for (const [what, way] of Object.entries(WAYS)) {
  test(`${what} is as after the start, however the message before ended`, () => {
    const bench = benchOf(machineOf(way));
    const seen = () => replyOf(bench.send('see'));
    assert.equal(seen(), way.at, 'at first');
    for (const channel of ['leave', 'reject', 'fail', 'trap', 'loop', 'leave', 'leave']) {
      bench.send(channel);
      assert.equal(seen(), way.at, `after ${channel}`);
      assert.equal(seen(), way.at, `twice after ${channel}`);
    }
  });
}

test('messages of one machine cannot reach another (NothingSurvivesAnInstance)', () => {
  const host = hostNow();
  const bytes = assemble(machineOf(WAYS['memory behind the image’s end']!));
  const [a, b] = [loadOn(host, bytes), loadOn(host, bytes)];
  const send = (machine: typeof a, channel: string) =>
    host.run(machine, callOf(channel), new Draft(null, DEFAULT_LIMITS));
  send(a, 'leave');
  assert.equal(replyOf(send(b, 'see')), 0);
  assert.equal(replyOf(send(a, 'see')), 0);
});

test('what init leaves behind outside the document is gone with its message', () => {
  const bench = benchOf({
    imports: HOST_IMPORTS,
    globals: ['mut i32 0'],
    functions: {
      init: 'i32.const 1 global.set 0',
      on_see: 'global.get 0 f64.convert_i32_s call $reply_number',
    },
  });
  assert.equal(replyOf(bench.send('see', null, { create: true })), 1);
  assert.equal(replyOf(bench.send('see')), 0);
});

test('what the host staged for one message is not there for the next', () => {
  const bench = benchOf(
    {
      imports: HOST_IMPORTS,
      data: [[0, '/secret']],
      functions: {
        on_stage: 'i32.const 0 i32.const 0 i32.const 7 call $read_text drop',
        on_take:
          'i32.const 100 call $take i32.const 100 i32.load8_u f64.convert_i32_s call $reply_number',
      },
    },
    { state: { secret: 'x' } },
  );
  bench.send('stage');
  assert.equal(replyOf(bench.send('take')), 0);
});

test('a message has its own reply, log lines and random numbers', () => {
  const bench = benchOf({
    imports: HOST_IMPORTS,
    data: [[0, 'line']],
    functions: {
      on_all: `f64.const 1 call $reply_number i32.const 1 i32.const 0 i32.const 4 call $log
        call $random drop`,
      on_nothing: '',
      on_draw: 'call $random f64.convert_i32_s call $reply_number',
    },
  });
  const first = replyOf(bench.send('draw'));
  assert.equal(bench.send('all').logs.length, 1);
  const nothing = bench.send('nothing');
  assert.equal(replyOf(nothing), undefined);
  assert.deepEqual(nothing.logs, []);
  bench.send('all');
  assert.equal(replyOf(bench.send('draw')), first, 'the seed is the same');
});

test('a message that ruins its instance pays for a new one', () => {
  const bench = benchOf(machineOf(WAYS['the size of memory']!));
  const fuel = (channel: string) => bench.send(channel).fuel;
  assert.equal(codeOf(bench.send('trap')), 'TRAPPED');
  assert.ok(fuel('leave') > fuel('see') + 150_000);
  assert.ok(fuel('trap') > fuel('see') + 150_000);
  assert.equal(fuel('see'), fuel('see'));
});
