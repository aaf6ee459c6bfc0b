// The SDK on the real driver: a machine that uses all of it is compiled as the README says and run.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { Draft, fromJson, type Json, toJson } from '@deltabase/delta';
import { makeWasmHost } from '@deltabase/driver-wasm';
import type { Call, Machine, Outcome } from '@deltabase/engine';
// @ts-expect-error: plain JavaScript, so that building needs no build.
import { buildMachine } from '../../build.mjs';

/** The workspace's root; compiled tests lie in dist/test. */
const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'guest-'));
const host = makeWasmHost({ limits: DEFAULT_LIMITS, soon: (run) => run() });
let machine: Machine;

async function compile(source: string, output: string): Promise<Uint8Array> {
  await buildMachine({ source, output: join(FOLDER, output), baseDir: ROOT });
  return readFileSync(join(FOLDER, output));
}

function load(module: Uint8Array): Machine {
  let loaded: Machine | undefined;
  host.load(module, (result) => {
    assert.equal(result.kind, 'loaded', result.kind === 'invalid' ? result.message : '');
    if (result.kind === 'loaded') loaded = result.machine;
  });
  assert.ok(loaded !== undefined);
  return loaded;
}

before(async () => {
  machine = load(await compile('packages/sdk/guest-assemblyscript/test/machine.ts', 'all.wasm'));
});

after(() => rmSync(FOLDER, { recursive: true }));

const CALL = {
  create: false,
  space: 'shop',
  key: 'orders/7',
  principal: 'anna@example.org',
  messageId: 's/1',
  time: 1_700_000_000_123,
  seed: 5,
};

function send(channel: string, payload: Json = null, state: Json = null, call: Partial<Call> = {}) {
  const draft = new Draft(fromJson(state), DEFAULT_LIMITS);
  const outcome = host.run(
    machine,
    { ...CALL, channel, payload: fromJson(payload), ...call },
    draft,
  );
  return { outcome, state: toJson(draft.root), reply: replyOf(outcome) };
}

function replyOf(outcome: Outcome): Json | undefined {
  if (outcome.kind === 'failed' || outcome.reply === undefined) return undefined;
  return JSON.parse(Buffer.from(outcome.reply).toString());
}

function codeOf(outcome: Outcome): string {
  return outcome.kind === 'failed' ? outcome.code : outcome.kind;
}

const STATE = {
  number: 2.75,
  text: 'Zoë 🙂',
  yes: true,
  no: false,
  nothing: null,
  list: [1, { two: 2 }],
  object: { b: 1, a: 2, c: 3 },
};

test('every kind of read gives what is there, or what is asked for instead', () => {
  const long = 'é🙂'.repeat(3000);
  assert.deepEqual(send('read', { long }, STATE).reply, {
    number: 2.75,
    noNumber: -1,
    integer: 2,
    noInteger: 7,
    text: 'Zoë 🙂',
    noText: 'otherwise',
    isNull: true,
    yes: true,
    no: false,
    noFlag: true,
    has: true,
    hasNot: false,
    count: 2,
    noCount: 0,
    json: '[1,{"two":2}]',
    noJson: '',
    kinds: new Array(8).fill(true),
    payload: long,
  });
});

test('keys come in order, from a place, as many as asked for', () => {
  const keys = (payload: Json) => send('keys', payload, STATE).reply;
  const rest = { noFirst: true, noNames: 0 };
  assert.deepEqual(keys({}), { names: ['a', 'b', 'c'], first: 'a', ...rest });
  assert.deepEqual(keys({ after: 'a' }), { names: ['b', 'c'], first: 'b', ...rest });
  assert.deepEqual(keys({ after: '', limit: 2 }), { names: ['a', 'b'], first: 'a', ...rest });
  assert.deepEqual(keys({ after: 'c' }), { names: [], first: null, ...rest });
});

test('operations carry values of every type', () => {
  assert.deepEqual(send('patch').state, {
    i32: 7,
    u64: 9007199254740991,
    f32: 0.5,
    bool: true,
    text: 'a "quoted" \n 🙂',
    null: null,
    object: { x: [1, 'two', false] },
    'a/b~c': 'escaped',
    plain: 'as it is',
    new: 'y',
    copy: [0, 1, 2, 3, 4],
  });
});

test('init makes the document', () => {
  assert.deepEqual(send('log', null, null, { create: true }).state, { made: true });
});

test('a message knows its context and time', () => {
  const { space, key, principal, messageId, time } = CALL;
  const expected = [space, key, 'context', principal, messageId, time];
  assert.deepEqual(send('context').reply, expected);
});

test('random numbers are even, and the same for the same seed', () => {
  const [bits, ...counts] = send('random').reply as [number, number, number, number];
  assert.ok(Number.isInteger(bits) && bits >= 0 && bits < 2 ** 32);
  for (const count of counts) assert.ok(count > 900 && count < 1100, String(counts));
  assert.deepEqual(send('random').reply, [bits, ...counts]);
});

test('replies are of every type', () => {
  for (const value of [1.5, 'text "é"', true, null, { a: [1, 'x'] }, []]) {
    assert.deepEqual(send('echo', value).reply, value);
  }
});

test('log lines have their level', () => {
  assert.deepEqual(send('log').outcome.logs, [
    'debug: one',
    'info: two',
    'warn: three',
    'error: four é',
  ]);
});

test('a rejection tells its reason and undoes the message', () => {
  const { outcome } = send('reject', null, {});
  assert.equal(codeOf(outcome), 'REJECTED');
  assert.equal(outcome.kind === 'failed' && outcome.message, 'because é');
});

test('what is thrown, asserted or out of range traps, and the log says why and where', () => {
  const failing: Record<string, RegExp> = {
    throw: /^error: broken at .*test\/machine\.ts:\d+:\d+$/,
    assert: /^error: it is there at /,
    beyond: /^error: Index out of range at /,
    nan: /^error: JSON has no NaN/,
  };
  for (const [channel, reason] of Object.entries(failing)) {
    const { outcome } = send(channel, { i: 3 });
    assert.equal(codeOf(outcome), 'TRAPPED');
    assert.match(outcome.logs[0] ?? '', reason);
  }
});

test('a machine is small and imports only what it uses', async () => {
  const source = join(FOLDER, 'small.ts');
  writeFileSync(
    source,
    `import { patch, state } from '@deltabase/guest-assemblyscript';
     export function on_add(): void { patch.replace('/n', state.number('/n') + 1); }`,
  );
  // Packages are found from the workspace, wherever the source lies.
  const bytes = await compile(source, 'small.wasm');
  assert.ok(bytes.length < 4000, `${bytes.length} bytes`);
  assert.deepEqual(load(bytes).manifest.imports, ['emit_number', 'log', 'read_number']);
});

test('what does not compile says why', async () => {
  const source = join(FOLDER, 'bad.ts');
  writeFileSync(source, 'export function on_add(): void { nothing(); }');
  await assert.rejects(compile(source, 'bad.wasm'), /bad\.ts does not compile:[\s\S]*nothing/);
});
