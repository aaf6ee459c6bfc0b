import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_LIMITS, decodeUtf8, makePrng } from '@deltabase/base';
import { canonicalJson, Draft, fromJson, type Value } from '@deltabase/delta';
import type { Call, Machine, MachineHost, Outcome } from '@deltabase/engine';
import { buildMachine } from '@deltabase/guest-assemblyscript/build';
import {
  makeTokenMachines,
  makeWasmTokenMachines,
  TOKEN_MODULES,
  tokenWasmModules,
} from '../../src/index.js';

const ROOT = fileURLToPath(new URL('../../../../../../', import.meta.url));
const FOLDER = join(ROOT, 'packages/tools/testkit/machines/tokens');

function loaded(host: MachineHost, module: Uint8Array): Machine {
  let machine: Machine | undefined;
  host.load(module, (result) => {
    assert.ok(result.kind === 'loaded', JSON.stringify(result));
    machine = result.machine;
  });
  return machine!;
}

/** A machine and a document that it changes. */
class Side {
  readonly host: MachineHost;
  readonly machine: Machine;
  root: Value = null;
  seq = 0;

  constructor(host: MachineHost, module: Uint8Array) {
    this.host = host;
    this.machine = loaded(host, module);
  }

  /** What a message gives, and what the document is then. */
  run(channel: string, payload: Record<string, unknown>, seed: number): string {
    const draft = new Draft(this.root, DEFAULT_LIMITS);
    const call: Call = {
      ...{ create: this.seq === 0, space: 's', key: 'k', channel, principal: 'p', messageId: 'm' },
      ...{ payload: fromJson(payload as never), time: 0, seed },
    };
    const outcome = this.host.run(this.machine, call, draft);
    return this.#told(outcome, draft);
  }

  #told(outcome: Outcome, draft: Draft): string {
    if (outcome.kind === 'failed') {
      return outcome.code === 'TRAPPED' ? outcome.code : `${outcome.code} ${outcome.message}`;
    }
    this.root = draft.get('')!;
    this.seq++;
    return `${outcome.reply && decodeUtf8(outcome.reply)} ${canonicalJson(this.root)}`;
  }
}

test('the machine in Wasm and the one in JavaScript do the same, message by message', () => {
  const lists = ['append', 'look', 'refuse', 'append_and_refuse', 'append_and_trap'];
  const registers = ['put', 'compare_and_set', 'delete', 'get'];
  for (let seed = 1; seed <= 50; seed++) {
    const chance = makePrng(seed);
    const sides = [
      new Side(makeTokenMachines(), TOKEN_MODULES[0]!),
      new Side(
        makeWasmTokenMachines((run) => run()),
        tokenWasmModules()[seed % 3]!,
      ),
    ];
    const channels = seed % 2 === 0 ? lists : registers;
    for (let step = 0; step < 40; step++) {
      const channel = channels[chance.below(channels.length)]!;
      const payload = { token: `t${step}`, version: chance.below(6) };
      const [script, wasm] = sides.map((side) => side.run(channel, payload, step));
      assert.equal(wasm, script, `seed ${seed} step ${step}: ${channel}`);
    }
  }
});

test('the committed module is what its source compiles to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-tokens-'));
  try {
    const output = join(folder, 'machine.wasm');
    await buildMachine({ source: join(FOLDER, 'machine.ts'), output, baseDir: ROOT });
    const [committed, built] = await Promise.all(
      [join(FOLDER, 'machine.wasm'), output].map((path) => readFile(path)),
    );
    assert.ok(committed!.equals(built!), 'compile machine.ts again, as its first lines say');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a machine is of one node, runs while it is loaded and is unloaded once', () => {
  const [one, other] = [0, 1].map(() => makeWasmTokenMachines((run) => run()));
  const machine = loaded(one!, tokenWasmModules()[0]!);
  assert.throws(() => other!.unload(machine), /by its node/);
  one!.unload(machine);
  assert.throws(() => one!.unload(machine), /once/);
});
