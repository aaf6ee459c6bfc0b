// The token machine as real WebAssembly. All nodes of all simulations of a process share what is compiled, because no
// byte of an instance survives a message (NothingSurvivesAnInstance); every node has machines of its own all the same.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { makeWasmHost } from '@deltabase/driver-wasm';
import type { LoadResult, Machine, MachineHost } from '@deltabase/engine';

const FILE = new URL('../../../machines/tokens/machine.wasm', import.meta.url);
const CUSTOM_SECTION = 0;
const NAME = new TextEncoder().encode('version');

let modules: readonly Uint8Array[] | undefined;
let shared: MachineHost | undefined;
/** By digest. */
const compiled = new Map<string, LoadResult>();

/** Modules that do the same and differ in a custom section, so that one can replace the other. */
export function tokenWasmModules(): readonly Uint8Array[] {
  modules ??= [1, 2, 3].map((version) => {
    const section = [CUSTOM_SECTION, NAME.length + 2, NAME.length, ...NAME, version];
    return Uint8Array.of(...readFileSync(FILE), ...section);
  });
  return modules;
}

/** A machine of one node. */
interface OwnMachine extends Machine {
  readonly inner: Machine;
}

/** A host for one node; `soon` is its clock's. */
export function makeWasmTokenMachines(soon: (run: () => void) => void): MachineHost {
  const host = sharedHost();
  const loaded = new Set<Machine>();
  return {
    load: (module, done) =>
      soon(() => {
        const result = load(module);
        if (result.kind !== 'loaded') {
          done(result);
          return;
        }
        const { machine: inner } = result;
        const machine: OwnMachine = { manifest: inner.manifest, inner };
        loaded.add(machine);
        done({ kind: 'loaded', machine });
      }),
    run(machine, call, draft) {
      assert.ok(loaded.has(machine), 'a machine runs while it is loaded, on its node');
      return host.run((machine as OwnMachine).inner, call, draft);
    },
    digest: (module) => host.digest(module),
    unload(machine) {
      assert.ok(loaded.delete(machine), 'a machine is unloaded once, by its node');
    },
  };
}

function sharedHost(): MachineHost {
  shared ??= makeWasmHost({ limits: DEFAULT_LIMITS, soon: (run) => run() });
  return shared;
}

function load(module: Uint8Array): LoadResult {
  const host = sharedHost();
  const digest = host.digest(module);
  let result = compiled.get(digest);
  if (result === undefined) {
    host.load(module, (now) => {
      result = now;
    });
    compiled.set(digest, result!);
  }
  return result!;
}
