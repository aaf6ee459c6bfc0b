// A live instance of a machine and what makes it as if new: the image of its memory and the shadows of its
// globals, both taken after the start function ran (NothingSurvivesAnInstance). It is restored after every
// message and thrown away where that is not enough: after a trap, when memory grew, when a table changed.

import { assert } from '@deltabase/base';
import { HANDLER_PREFIX } from '../abi/abi.js';
import { INITIALIZE_EXPORT } from '../abi/check-module.js';
import { Flag, MeterExport } from '../meter/symbols.js';
import {
  type WasmFunction,
  type WasmInstance,
  type WasmMemory,
  type WasmModule,
  wasm,
} from '../webassembly.js';
import type { Guest } from './activation.js';
import type { HostFunctions } from './host-functions.js';

/** Memory as the start function left it: bytes up to the last that is not zero, and the whole length. */
export interface MemoryImage {
  readonly content: Uint8Array;
  readonly length: number;
}

/** An instance with its memory and the functions that the meter added. */
export class Instance implements Guest {
  readonly memory: WasmMemory;
  /** Gives fuel and stack for what is called next, clears the flags. */
  readonly enter: (fuel: number, stackBytes: number) => void;
  readonly charge: (units: number) => void;
  /** Fuel left; below zero: it ran out. */
  readonly fuel: () => number;
  /** Bytes of stack left; below zero: it overflowed. */
  readonly stack: () => number;
  readonly init: WasmFunction | undefined;
  readonly #instance: WasmInstance;
  readonly #handlers = new Map<string, WasmFunction>();
  readonly #flags: () => number;
  readonly #restoreGlobals: () => void;
  #bytes: Uint8Array;

  /** An instance of the metered `module`. Throws V8's RuntimeError where a segment does not fit. */
  constructor(module: WasmModule, functions: HostFunctions, channels: readonly string[]) {
    this.#instance = new wasm.Instance(module, { deltabase: functions });
    const { memory } = this.#instance.exports;
    assert(memory !== undefined, 'a machine exports its memory');
    this.memory = memory;
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.enter = this.#meter(MeterExport.enter) as (fuel: number, stackBytes: number) => void;
    this.charge = this.#meter(MeterExport.charge) as (units: number) => void;
    this.fuel = this.#meter(MeterExport.fuel);
    this.stack = this.#meter(MeterExport.stack);
    this.#flags = this.#meter(MeterExport.flags);
    this.#restoreGlobals = this.#meter(MeterExport.restore) as () => void;
    this.init = this.#function('init');
    for (const channel of channels) {
      this.#handlers.set(channel, this.#meter(HANDLER_PREFIX + channel));
    }
  }

  /** The memory's bytes; empty once it has grown. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The handler of `channel`; `undefined`: there is none. */
  handler(channel: string): WasmFunction | undefined {
    return this.#handlers.get(channel);
  }

  /** Whether a growth of memory was refused since `enter`. */
  get growRefused(): boolean {
    return (this.#flags() & Flag.growRefused) !== 0;
  }

  /** Runs what the module wants run before anything else, in fuel and stack that were given. */
  start(): void {
    this.#function(MeterExport.start)?.();
    this.#function(INITIALIZE_EXPORT)?.();
  }

  /** Takes the present state as the one to restore; the memory's part of it is returned. */
  capture(): MemoryImage {
    (this.#meter(MeterExport.capture) as () => void)();
    this.#bytes = new Uint8Array(this.memory.buffer);
    let end = this.#bytes.length;
    while (end > 0 && this.#bytes[end - 1] === 0) end--;
    return { content: this.#bytes.slice(0, end), length: this.#bytes.length };
  }

  /** Makes everything as `capture` found it; `false`: that is not possible, throw the instance away. */
  restore(image: MemoryImage): boolean {
    if ((this.#flags() & Flag.dirty) !== 0) return false;
    // A start function that grew memory may once have been refused it.
    if (this.#bytes.length !== image.length) return false;
    this.#bytes.set(image.content);
    this.#bytes.fill(0, image.content.length);
    this.#restoreGlobals();
    return true;
  }

  #function(name: string): WasmFunction | undefined {
    return this.#instance.exports[name] as WasmFunction | undefined;
  }

  #meter(name: string): WasmFunction {
    const found = this.#function(name);
    assert(found !== undefined, `the metered module exports ${name}`);
    return found;
  }
}
