import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { AssertionError, DEFAULT_LIMITS } from '@deltabase/base';
import { Draft } from '@deltabase/delta';
import type { LoadResult, Machine, MachineHost } from '@deltabase/engine';
import { makeWasmHost } from '../src/index.js';
import { wasm } from '../src/webassembly.js';
import { assemble } from './assembler.js';
import { callOf, codeOf, HOST_IMPORTS, hostNow, limitsWith, loadOn, replyOf } from './harness.js';

const load = (host: MachineHost, module: Uint8Array) =>
  new Promise<LoadResult>((resolve) => {
    let inside = true;
    host.load(module, (result) => {
      assert.equal(inside, false, 'a port never reports from inside the call');
      resolve(result);
    });
    inside = false;
  });

/** A machine that replies with `number`; `functions` more make its module larger. */
function replier(number: number, functions = 0): Uint8Array {
  const more = Array.from({ length: functions }, (_, i) => [
    `f${i}`,
    `${`i32.const ${i} i32.const 3 i32.mul drop `.repeat(40)}`,
  ]);
  return assemble({
    imports: HOST_IMPORTS,
    functions: { on_a: `f64.const ${number} call $reply_number`, ...Object.fromEntries(more) },
  });
}

const run = (host: MachineHost, machine: Machine, channel = 'a') =>
  host.run(machine, callOf(channel), new Draft(null, DEFAULT_LIMITS));

test('a module is loaded in the background, small ones here and large ones on a thread', async () => {
  const host = makeWasmHost({ limits: DEFAULT_LIMITS });
  const large = replier(2, 2000);
  assert.ok(large.length > 512 * 1024, `${large.length} bytes`);
  const results = await Promise.all([
    load(host, replier(1)),
    load(host, large),
    load(host, replier(3)),
  ]);
  const replies = results.map((result) => {
    assert.equal(result.kind, 'loaded', result.kind === 'invalid' ? result.message : '');
    return result.kind === 'loaded' && replyOf(run(host, result.machine));
  });
  assert.deepEqual(replies, [1, 2, 3]);
});

test('a large module is metered on its thread as it is here', async () => {
  const large = replier(2, 2000);
  const aside = await load(makeWasmHost({ limits: DEFAULT_LIMITS }), large);
  assert.ok(aside.kind === 'loaded');
  const here = hostNow();
  const machine = loadOn(here, large);
  assert.deepEqual(aside.machine.manifest, machine.manifest);
});

test('why a module is refused is reported, whatever its size, and loading goes on', async () => {
  const host = makeWasmHost({ limits: DEFAULT_LIMITS });
  const damaged = replier(2, 2000);
  damaged[damaged.length - 2] = 0xff;
  const [small, large, huge, good] = await Promise.all([
    load(host, Uint8Array.of(1, 2, 3)),
    load(host, damaged),
    load(host, new Uint8Array(DEFAULT_LIMITS.moduleBytesMax + 1)),
    load(host, replier(4)),
  ]);
  assert.match(small.kind === 'invalid' ? small.message : '', /not a WebAssembly/);
  assert.match(large.kind === 'invalid' ? large.message : '', /unknown instruction/);
  assert.match(huge.kind === 'invalid' ? huge.message : '', /at most/);
  assert.equal(good.kind, 'loaded');
});

/** Runs `body` while `api[name]` is another one. */
async function replacing(
  api: Record<string, unknown>,
  name: string,
  other: unknown,
  body: () => Promise<void>,
): Promise<void> {
  const original = api[name];
  api[name] = other;
  syncBuiltinESMExports();
  try {
    await body();
  } finally {
    api[name] = original;
    syncBuiltinESMExports();
  }
}

test('a module without room now is not called invalid, and loads once there is room again', async () => {
  const host = makeWasmHost({ limits: DEFAULT_LIMITS });
  const api = wasm as unknown as Record<string, unknown>;
  function NoRoom(): never {
    throw new RangeError('WebAssembly.Instance(): Out of memory');
  }
  const noCompile = () => Promise.reject(new RangeError('WebAssembly.compile(): Out of memory'));
  for (const [name, other] of Object.entries({ Instance: NoRoom, compile: noCompile })) {
    await replacing(api, name, other, async () => {
      const result = await load(host, replier(1));
      assert.equal(result.kind, 'busy', name);
    });
    assert.equal((await load(host, replier(1))).kind, 'loaded');
  }
});

test('a thread that fails says nothing of the module it was to read', async () => {
  const host = makeWasmHost({ limits: DEFAULT_LIMITS });
  const large = replier(2, 2000);
  const threads = createRequire(import.meta.url)('node:worker_threads');
  const endings: Record<string, (worker: EventEmitter) => void> = {
    error: (worker) => worker.emit('error', new Error('EAGAIN')),
    exit: (worker) => worker.emit('exit', 134),
  };
  for (const [how, end] of Object.entries(endings)) {
    class Failing extends EventEmitter {
      constructor() {
        super();
        setImmediate(() => end(this));
      }
    }
    await replacing(threads, 'Worker', Failing, async () => {
      const result = await load(host, large);
      assert.equal(result.kind, 'busy', how);
    });
    assert.equal((await load(host, large)).kind, 'loaded');
  }
});

test('with `soon`, a load happens within it, from beginning to end', () => {
  const waiting: (() => void)[] = [];
  const host = makeWasmHost({ limits: DEFAULT_LIMITS, soon: (job) => waiting.push(job) });
  let result: LoadResult | undefined;
  host.load(replier(1), (loaded) => {
    result = loaded;
  });
  assert.equal(result, undefined);
  assert.equal(waiting.length, 1);
  waiting[0]!();
  assert.equal((result as LoadResult | undefined)?.kind, 'loaded');
});

/** Runs `body` and returns how many instances were made meanwhile. */
function instancesMade(body: () => void): number {
  const api = wasm as { Instance: typeof wasm.Instance };
  const original = api.Instance;
  let made = 0;
  api.Instance = new Proxy(original, {
    construct(target, args) {
      made++;
      return Reflect.construct(target, args);
    },
  });
  try {
    body();
  } finally {
    api.Instance = original;
  }
  return made;
}

test('the machines used least recently give their instances up', () => {
  const host = hostNow(limitsWith({ instancesMax: 2 }));
  const machines = [0, 1, 2].map((number) => loadOn(host, replier(number)));
  const made = (...order: number[]) =>
    instancesMade(() => {
      for (const i of order) assert.equal(replyOf(run(host, machines[i]!)), i);
    });
  assert.equal(made(2, 1, 2, 1, 1), 0, 'the last two that were loaded are live');
  assert.equal(made(0), 1);
  assert.equal(made(1, 0), 0, 'number 2 was used least recently');
  assert.equal(made(2, 0), 1, 'number 0 was used after number 1, so it stayed');
  assert.equal(made(1, 2, 0), 3, 'one after the other, each pushes out the next');
});

test('an unloaded machine is gone, the others stay', () => {
  const host = hostNow();
  const [a, b] = [loadOn(host, replier(1)), loadOn(host, replier(2))];
  host.unload(a);
  assert.throws(() => run(host, a), AssertionError);
  assert.throws(() => host.unload(a), AssertionError);
  assert.equal(replyOf(run(host, b)), 2);
  assert.throws(() => run(hostNow(), b), AssertionError);
});

test('a defect of the host is not blamed on the guest, and leaves the host usable', () => {
  const host = hostNow();
  const machine = loadOn(
    host,
    assemble({
      imports: HOST_IMPORTS,
      functions: {
        on_a: 'i32.const 0 i32.const 0 i32.const 0 call $read drop',
        on_b: 'f64.const 7 call $reply_number',
      },
    }),
  );
  const draft = new Draft(null, DEFAULT_LIMITS);
  Object.defineProperty(draft, 'root', {
    get() {
      throw new AssertionError('broken');
    },
  });
  assert.throws(() => host.run(machine, callOf('a'), draft), /broken/);
  assert.equal(replyOf(run(host, machine, 'b')), 7);
});

test('a guest cannot be entered again while it runs', () => {
  const host = hostNow();
  const source = { imports: HOST_IMPORTS, functions: { on_a: 'call $now drop' } };
  const machine = loadOn(host, assemble(source));
  const call = Object.defineProperty({ ...callOf('a') }, 'time', {
    get: () => run(host, machine).fuel,
  });
  assert.throws(
    () => host.run(machine, call, new Draft(null, DEFAULT_LIMITS)),
    /one message at a time/,
  );
  assert.equal(run(host, machine).kind, 'done');
});

test('the same message uses the same fuel on a new instance and an old one', () => {
  const source = assemble({
    imports: HOST_IMPORTS,
    start: 'go',
    functions: {
      on_a: 'i32.const 0 i32.const 0 i32.const 0 f64.const 2 call $emit_number',
      on_trap: 'unreachable',
      go: {
        locals: 'i32',
        code: 'loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 50 i32.lt_u br_if 0 end',
      },
    },
  });
  const host = hostNow();
  const machine = loadOn(host, source);
  const first = run(host, machine).fuel;
  assert.equal(run(host, machine).fuel, first);
  assert.equal(codeOf(run(host, machine, 'trap')), 'TRAPPED');
  assert.equal(run(host, machine).fuel, first);
});

test('the digest of a module is its SHA-256', () => {
  const module = replier(1);
  const expected = createHash('sha256').update(module).digest('hex');
  assert.equal(hostNow().digest(module), expected);
});
