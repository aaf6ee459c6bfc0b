// The MachineHost port on V8's WebAssembly: loads machines, keeps the instances of those used most
// recently, runs messages in them one at a time. Whatever a guest does ends its message and leaves the
// host as it was (LogicCannotHurtTheHost).

import { createHash } from 'node:crypto';
import { assert, DeltabaseError, type ErrorCode, type Limits } from '@deltabase/base';
import type { Draft } from '@deltabase/delta';
import type { Call, LoadResult, Machine, MachineHost, Outcome } from '@deltabase/engine';
import type { Manifest } from '@deltabase/machine';
import { quoteName } from './binary/invalid.js';
import { Activation } from './guest/activation.js';
import { type HostFunctions, makeHostFunctions } from './guest/host-functions.js';
import { Instance, type MemoryImage } from './guest/instance.js';
import { runMessage } from './guest/run-message.js';
import { startInstance } from './guest/start-instance.js';
import { type PreparedModule, prepareModule } from './prepare.js';
import { prepareAside } from './prepare-aside.js';
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
  /** Settles when everything that was to be loaded is. */
  #loading: Promise<unknown> = Promise.resolve();

  constructor({ limits, soon }: WasmHostOptions) {
    const { fuelPerMessageMax, stackBytesMax } = limits;
    assert(fuelPerMessageMax > 0 && fuelPerMessageMax < 2 ** 31, 'fuel is counted in 31 bits');
    assert(stackBytesMax > 0 && stackBytesMax < 2 ** 31, 'stack is counted in 31 bits');
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
    if (!(instance instanceof Instance)) return instance;
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
      return this.#failedLoad(error);
    }
  }

  /** One after the other, so that a node that starts does not compile everything at once. */
  #loadInBackground(bytes: Uint8Array, done: (result: LoadResult) => void): void {
    const loaded = this.#loading.then(() => this.#compile(bytes));
    this.#loading = loaded;
    loaded.then(done);
  }

  async #compile(bytes: Uint8Array): Promise<LoadResult> {
    try {
      const prepared = await prepareAside(bytes, this.#limits);
      return this.#finish(prepared, await wasm.compile(prepared.bytes));
    } catch (error) {
      return this.#failedLoad(error);
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

  /** What a module cannot help, want of memory, says nothing about it: it may be loaded later. */
  #failedLoad(error: unknown): LoadResult {
    if (error instanceof wasm.CompileError) return { kind: 'invalid', message: error.message };
    const isExpected = error instanceof DeltabaseError;
    if (isExpected && error.code !== 'OVERLOADED') {
      return { kind: 'invalid', message: error.message };
    }
    // A RangeError is how V8 tells of what it cannot allocate.
    if (!isExpected && !(error instanceof RangeError)) throw error;
    // Instances that are idle give way, once V8 has noticed.
    this.#instances.clear();
    this.#lastUsed = undefined;
    return { kind: 'busy', message: error.message };
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

  /** The live instance of `machine`, made anew if need be; an outcome: there is no room for it. */
  #use(machine: LoadedMachine): Instance | Outcome {
    const live = this.#instances.get(machine);
    if (live !== undefined && machine === this.#lastUsed) return live;
    if (live !== undefined) {
      this.#instances.delete(machine);
      return this.#keep(machine, live);
    }
    try {
      const { instance } = this.#start(machine.manifest, machine.module);
      instance.capture();
      return this.#keep(machine, instance);
    } catch (error) {
      if (!(error instanceof DeltabaseError)) throw error;
      // Those that are idle give way to what is asked for, once V8 has noticed.
      this.#instances.clear();
      return failed(error.code, error.message);
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

function channelNotFound({ channels }: Manifest, channel: string): Outcome {
  const has = channels.join(', ');
  return failed(
    'CHANNEL_NOT_FOUND',
    `the machine has no channel ${quoteName(channel)}; it has ${has}`,
  );
}

function failed(code: ErrorCode, message: string): Outcome {
  return { kind: 'failed', code, message, fuel: 0, logs: [] };
}
