import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, DeltabaseError, makePrng } from '@deltabase/base';
import { readModule } from '../src/binary/read-module.js';
import { planModule } from '../src/meter/meter-module.js';
import { prepareModule } from '../src/prepare.js';
import { assemble, HEADER, section, uleb } from './assembler.js';
import { HOST_IMPORTS, limitsWith, refusal } from './harness.js';
import { randomModule } from './random-module.js';

const bytesOf = (...parts: (readonly number[])[]) => Uint8Array.from([...HEADER, ...parts.flat()]);
/** Types () -> (); one function of it. */
const TYPE = section(1, [1, 0x60, 0, 0]);
const FUNCTION = section(3, [1, 0]);
const codeOf = (...code: number[]) => section(10, [1, ...uleb(code.length + 2), 0, ...code, 0x0b]);

test('a module is taken apart', () => {
  const layout = readModule(
    assemble({
      imports: HOST_IMPORTS.slice(0, 2),
      memory: [1, 5],
      tables: [[3]],
      globals: ['i32 5', 'mut f64 1'],
      functions: { on_a: '', helper: { params: 'i64', results: 'i32 f32', code: 'unreachable' } },
      start: 'on_a',
    }),
    DEFAULT_LIMITS,
  );
  assert.equal(layout.importedFunctions, 2);
  assert.deepEqual(layout.imports[1], {
    module: 'deltabase',
    name: 'take',
    kind: 'function',
    type: layout.functions[1],
  });
  assert.deepEqual(layout.types[layout.functions[3]!], { params: [0x7e], results: [0x7f, 0x7d] });
  assert.deepEqual(layout.memories, [{ min: 1, max: 5 }]);
  assert.deepEqual(layout.tables, [{ type: 0x70, size: { min: 3, max: undefined } }]);
  assert.deepEqual(
    layout.globals.map(({ mutable }) => mutable),
    [false, true],
  );
  assert.equal(layout.start, 2);
  assert.equal(layout.bodies.length, 2);
  assert.deepEqual(
    layout.exports.map(({ name, kind, index }) => [name, kind, index]),
    [
      ['on_a', 'function', 2],
      ['helper', 'function', 3],
      ['memory', 'memory', 0],
    ],
  );
});

test('features that a machine may not use are named', () => {
  const memory = (...size: number[]) => bytesOf(section(5, [1, ...size]));
  const body = (...code: number[]) => bytesOf(TYPE, FUNCTION, codeOf(...code));
  const cases: readonly (readonly [RegExp, Uint8Array])[] = [
    [/shared memory/, memory(3, 1, 1)],
    [/64-bit memory/, memory(4, 1)],
    [/custom page sizes/, memory(8, 1, 0)],
    [/several memories/, bytesOf(section(5, [2, 0, 1, 0, 1]))],
    [/exceptions/, bytesOf(TYPE, section(13, [1, 0, 0]))],
    [/exceptions/, bytesOf(TYPE, section(2, [1, 0, 0, 4, 0, 0]))],
    [/garbage collected/, bytesOf(section(1, [1, 0x5f, 0]))],
    [/garbage collected/, bytesOf(section(1, [1, 0x4e, 0]))],
    [/typed function references/, bytesOf(section(1, [1, 0x60, 1, 0x64, 0, 0]))],
    [/garbage collected or exception/, bytesOf(section(1, [1, 0x60, 1, 0x6e, 0]))],
    [/extended constant/, bytesOf(section(6, [1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b]))],
    [/threads/, body(0xfe, 0x10, 2, 0)],
    [/tail calls/, body(0x12, 0)],
    [/tail calls/, body(0x13, 0, 0)],
    [/typed function references/, body(0x14, 0)],
    [/typed function references/, body(0xd4)],
    [/exceptions/, body(0x06, 0x40, 0x0b)],
    [/exceptions/, body(0x08, 0)],
    [/exceptions/, body(0x1f, 0x40, 0)],
    [/garbage collected/, body(0xfb, 0, 0)],
    [/relaxed SIMD/, body(0xfd, 0x80, 0x02)],
    [/unknown instruction/, body(0xff)],
    [/unknown instruction/, body(0xfc, 0x12)],
    [/unknown instruction/, body(0xfd, 0x9a, 0x01)],
    [/several memories/, body(0x3f, 1)],
    [/several memories/, body(0x28, 0x40, 0, 0)],
    [/typed function references/, body(0xd0, 0x64)],
  ];
  for (const [reason, bytes] of cases) {
    assert.throws(
      () => prepareWithoutAbi(bytes),
      (error) =>
        error instanceof DeltabaseError &&
        error.code === 'MODULE_INVALID' &&
        reason.test(error.message),
      `${reason}: ${Buffer.from(bytes).toString('hex')}`,
    );
  }
});

/** Reads and plans, as for a module that keeps the ABI. */
function prepareWithoutAbi(bytes: Uint8Array): void {
  planModule(readModule(bytes, DEFAULT_LIMITS));
}

test('sections must be known, in order and as long as their content', () => {
  assert.match(refusal(bytesOf(FUNCTION, TYPE)), /type 0 is not declared/);
  assert.match(refusal(bytesOf(section(5, [0]), section(4, [0]))), /section 4 is out of order/);
  assert.match(refusal(bytesOf(TYPE, TYPE)), /section 1 is out of order/);
  assert.match(refusal(bytesOf(section(14, [0]))), /section 14 is unknown/);
  assert.match(refusal(bytesOf(section(1, [0, 0]))), /section 1 is longer than its content/);
  assert.match(refusal(bytesOf(TYPE, FUNCTION)), /another number of functions/);
  assert.match(refusal(Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)), /not a WebAssembly 1/);
  assert.match(refusal(new Uint8Array(0)), /not a WebAssembly 1/);
  assert.match(refusal(new TextEncoder().encode('export function on_add() {}')), /WebAssembly 1/);
});

test('huge counts and sizes are refused before anything is made of them', () => {
  const huge = uleb(0xffffffff);
  for (const id of [1, 2, 3, 4, 5, 6, 7, 10]) {
    assert.match(refusal(bytesOf(section(id, huge))), /at most|several|ends in the middle/);
  }
  assert.match(refusal(bytesOf([1, ...huge])), /ends in the middle/);
  const body = [1, ...huge, 0x7f, 0x0b];
  const locals = bytesOf(TYPE, FUNCTION, section(10, [1, ...uleb(body.length), ...body]));
  assert.match(refusalOfCode(locals), /more than 10000 locals/);
  assert.match(refusal(bytesOf(section(5, [1, 0, ...uleb(70_000)]))), /at most 256/);
  assert.match(refusal(bytesOf(section(4, [1, 0x70, 0, ...uleb(1_000_000)]))), /at most 100000/);
  const small = limitsWith({ moduleBytesMax: 20, moduleFunctionsMax: 1 });
  assert.match(refusal(new Uint8Array(21), small), /21 bytes, at most 20/);
  const two = bytesOf(TYPE, section(3, [2, 0, 0]));
  assert.match(refusal(two, limitsWith({ moduleFunctionsMax: 1 })), /2 functions, at most 1/);
});

function refusalOfCode(bytes: Uint8Array): string {
  try {
    prepareWithoutAbi(bytes);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

test('a few bytes cannot make the compiler prepare millions of values', () => {
  const blocks = `${'block >i32,i32,i32,i32 unreachable end drop drop drop drop '.repeat(30_000)}`;
  const bytes = assemble({ functions: { on_a: blocks } });
  assert.match(refusal(bytes), /pass on too many values/);
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`f${i}`, { code: '', locals: 'i64 '.repeat(9000) }]),
  );
  assert.match(refusal(assemble({ functions: { on_a: '', ...many } })), /locals together/);
});

test('cut or damaged modules are refused or run, and never cost more than their size', () => {
  const prng = makePrng(11);
  const started = performance.now();
  for (let seed = 1; seed <= 40; seed++) {
    const { source } = randomModule(makePrng(seed));
    const bytes = assemble({ ...source, functions: { on_a: '', ...source.functions } });
    for (let i = 0; i < 40; i++) {
      const damaged = bytes.slice(0, i % 2 === 0 ? prng.below(bytes.length) : bytes.length);
      for (let k = prng.below(4); k > 0 && damaged.length > 0; k--) {
        damaged[prng.below(damaged.length)] = prng.below(256);
      }
      try {
        prepareModule(damaged, DEFAULT_LIMITS);
      } catch (error) {
        assert.ok(
          error instanceof DeltabaseError && error.code === 'MODULE_INVALID',
          `seed ${seed}, damage ${i}: ${error}`,
        );
      }
    }
  }
  assert.ok(performance.now() - started < 20_000);
});
