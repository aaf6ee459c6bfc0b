// A MachineHost whose machines are JavaScript functions: for tests of the engine that need no Wasm. A module is
// the name of a script in UTF-8.

import { createHash } from 'node:crypto';
import { DeltabaseError, makePrng, type Prng } from '@deltabase/base';
import { canonicalBytes, type Draft, fromJson, type Json, toJson } from '@deltabase/delta';
import type { Call, LoadResult, Machine, MachineHost, Outcome } from '@deltabase/engine';

/** What a script sees of its message. */
export interface ScriptCall {
  readonly call: Call;
  readonly payload: Json;
  readonly draft: Draft;
  readonly random: Prng;
}

/** Returns the reply; throws to refuse the message. */
export type Script = (call: ScriptCall) => Json | undefined;

interface ScriptMachine extends Machine {
  readonly script: Script;
}

/** Runs `scripts` by name; each answers any of its `channels`. */
export function makeScriptMachines(
  scripts: Readonly<Record<string, { channels: string[]; run: Script }>>,
): MachineHost {
  return {
    load(module, done) {
      done(loadScript(scripts, new TextDecoder().decode(module)));
    },
    run(machine, call, draft) {
      return runScript(machine as ScriptMachine, call, draft);
    },
    digest: (module) => createHash('sha256').update(module).digest('hex'),
    unload() {},
  };
}

function loadScript(
  scripts: Readonly<Record<string, { channels: string[]; run: Script }>>,
  name: string,
): LoadResult {
  const script = scripts[name];
  if (script === undefined) return { kind: 'invalid', message: `there is no script ${name}` };
  const machine: ScriptMachine = {
    manifest: {
      abi: 1,
      channels: [...script.channels].sort(),
      init: false,
      imports: [],
      memoryPages: { initial: 0, max: 0 },
    },
    script: script.run,
  };
  return { kind: 'loaded', machine };
}

function runScript(machine: ScriptMachine, call: Call, draft: Draft): Outcome {
  const fuel = 1000;
  if (!machine.manifest.channels.includes(call.channel)) {
    const message = `the machine has no channel ${call.channel}`;
    return { kind: 'failed', code: 'CHANNEL_NOT_FOUND', message, fuel: 0, logs: [] };
  }
  try {
    const random = makePrng(call.seed);
    const reply = machine.script({ call, payload: toJson(call.payload), draft, random });
    const bytes = reply === undefined ? undefined : canonicalBytes(fromJson(reply));
    return { kind: 'done', reply: bytes, fuel, logs: [] };
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return { kind: 'failed', code: thrown.code, message: thrown.message, fuel, logs: [] };
  }
}
