// The MachineHost port on V8's WebAssembly: loads machines, keeps the instances of those used most
// recently, runs messages in them one at a time. Whatever a guest does ends its message and leaves the
// host as it was (LogicCannotHurtTheHost).

import { createHash } from 'node:crypto';
import { assert, DeltabaseError, type Limits } from '@deltabase/base';
import type { Draft } from '@deltabase/delta';
import type { Call, LoadResult, Machine, MachineHost, Outcome } from '@deltabase/engine';
import type { Manifest } from '@deltabase/machine';
import { quoteName } from './binary/invalid.js';
import { Activation } from './guest/activation.js';
import { type HostFunctions, makeHostFunctions } from './guest/host-functions.js';
import type { Instance, MemoryImage } from './guest/instance.js';
import { runMessage } from './guest/run-message.js';
import { startInstance } from './guest/start-instance.js';
import { type PreparedModule, prepareModule } from './prepare.js';
import { type WasmModule, wasm } from './webassembly.js';

/** What a host is made with. */
export interface WasmHostOptions {
  readonly limits: Limits;
  /**
   * If given, a module is loaded within a call of it, from beginning to end: a simulation passes its
   * clock's. Otherwise V8 compiles in the background.
   */
  readonly soon?: (run: () => void) => void;
}

/** A host without machines. */
export function makeWasmHost(options: WasmHostOptions): MachineHost {
  return new WasmHost(options);
}

/** A machine of this host. */
class LoadedMachine implements Machine {
  readonly manifest: Manifest;
  readonly module: WasmModule;
  readonly image: MemoryImage;
  readonly startFuel: number;

  constructor(manifest: Manifest, module: WasmModule, image: MemoryImage, startFuel: number) {
    this.manifest = manifest;
    this.module = module;
    this.image = image;
    this.startFuel = startFuel;
  }
}

class WasmHost implements MachineHost {
  readonly #limits: Limits;
  readonly #soon: ((run: () => void) => void) | undefined;
  readonly #active: Activation;
  readonly #functions: HostFunctions;
  readonly #machines = new Set<Machine>();
  /** Live instances, the one used last at the end. */
  readonly #instances = new Map<LoadedMachine, Instance>();
  #lastUsed: LoadedMachine | undefined;

  constructor({ limits, soon }: WasmHostOptions) {
    this.#limits = limits;
    this.#soon = soon;
    this.#active = new Activation(limits);
    this.#functions = makeHostFunctions(this.#active);
  }

  load(module: Uint8Array, done: (result: LoadResult) => void): void {
    if (this.#soon === undefined) this.#loadInBackground(module, done);
    else this.#soon(() => done(this.#loadNow(module)));
  }

  run(machine: Machine, call: Call, draft: Draft): Outcome {
    assert(machine instanceof LoadedMachine, 'a machine comes from its host');
    assert(this.#machines.has(machine), 'a machine is loaded while it runs');
    const instance = this.#use(machine);
    if (instance === undefined) return noInstance();
    const handler = instance.handler(call.channel);
    if (handler === undefined) return channelNotFound(machine.manifest, call.channel);
    const { image, startFuel } = machine;
    const spent = () => this.#discard(machine);
    return runMessage(this.#active, { instance, image, handler, call, draft, startFuel, spent });
  }

  digest(module: Uint8Array): string {
    return createHash('sha256').update(module).digest('hex');
  }

  unload(machine: Machine): void {
    assert(this.#machines.delete(machine), 'a machine is unloaded once, by its host');
    this.#discard(machine as LoadedMachine);
  }

  #loadNow(bytes: Uint8Array): LoadResult {
    try {
      const prepared = prepareModule(bytes, this.#limits);
      return this.#finish(prepared, new wasm.Module(prepared.bytes));
    } catch (error) {
      return invalidResult(error);
    }
  }

  #loadInBackground(bytes: Uint8Array, done: (result: LoadResult) => void): void {
    this.#compile(bytes).then(done);
  }

  async #compile(bytes: Uint8Array): Promise<LoadResult> {
    try {
      const prepared = prepareModule(bytes, this.#limits);
      return this.#finish(prepared, await wasm.compile(prepared.bytes));
    } catch (error) {
      return invalidResult(error);
    }
  }

  /** Makes the first instance, whose image all messages begin with. */
  #finish({ manifest }: PreparedModule, module: WasmModule): LoadResult {
    const { instance, fuel } = this.#start(manifest, module);
    const machine = new LoadedMachine(manifest, module, instance.capture(), fuel);
    this.#machines.add(machine);
    this.#keep(machine, instance);
    return { kind: 'loaded', machine };
  }

  #start(manifest: Manifest, module: WasmModule): { instance: Instance; fuel: number } {
    return startInstance({
      module,
      channels: manifest.channels,
      functions: this.#functions,
      active: this.#active,
      limits: this.#limits,
    });
  }

  /** The live instance of `machine`, made anew if need be; `undefined`: there is no room for it. */
  #use(machine: LoadedMachine): Instance | undefined {
    const live = this.#instances.get(machine);
    if (live !== undefined && machine === this.#lastUsed) return live;
    if (live !== undefined) {
      this.#instances.delete(machine);
      return this.#keep(machine, live);
    }
    const made = this.#remake(machine);
    return made === undefined ? undefined : this.#keep(machine, made);
  }

  #remake(machine: LoadedMachine): Instance | undefined {
    try {
      const { instance } = this.#start(machine.manifest, machine.module);
      return instance.capture().length === machine.image.length ? instance : undefined;
    } catch (error) {
      // It started before, so what fails now is the reservation of its memory.
      if (!(error instanceof RangeError)) throw error;
      this.#instances.clear();
      return undefined;
    }
  }

  #keep(machine: LoadedMachine, instance: Instance): Instance {
    this.#instances.set(machine, instance);
    this.#lastUsed = machine;
    if (this.#instances.size > this.#limits.instancesMax) {
      const [oldest] = this.#instances.keys();
      this.#instances.delete(oldest!);
    }
    return instance;
  }

  #discard(machine: LoadedMachine): void {
    this.#instances.delete(machine);
    if (this.#lastUsed === machine) this.#lastUsed = undefined;
  }
}

function invalidResult(error: unknown): LoadResult {
  if (error instanceof DeltabaseError && error.code === 'MODULE_INVALID') {
    return { kind: 'invalid', message: error.message };
  }
  throw error;
}

function channelNotFound({ channels }: Manifest, channel: string): Outcome {
  const message = `the machine has no channel ${quoteName(channel)}; it has ${channels.join(', ')}`;
  return { kind: 'failed', code: 'CHANNEL_NOT_FOUND', message, fuel: 0, logs: [] };
}

function noInstance(): Outcome {
  const message = 'this node has no memory for another instance now; ask again later';
  return { kind: 'failed', code: 'OVERLOADED', message, fuel: 0, logs: [] };
}
