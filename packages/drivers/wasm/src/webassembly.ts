// The part of the WebAssembly JavaScript interface that the driver uses, typed: neither the language
// library nor Node's types declare it. The one place that names the global.

/** A compiled module. */
export interface WasmModule {
  readonly [MODULE]: true;
}
declare const MODULE: unique symbol;

/** A linear memory. Its buffer is replaced whenever it grows; the old one is detached. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** A function of a module, as JavaScript sees it. */
export type WasmFunction = (...args: number[]) => number;

/** An instance; what it exports is known by name only. */
export interface WasmInstance {
  readonly exports: { readonly memory?: WasmMemory } & Readonly<Record<string, unknown>>;
}

interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => WasmInstance;
  readonly CompileError: new () => Error;
  readonly LinkError: new () => Error;
  readonly RuntimeError: new () => Error;
  validate(bytes: Uint8Array): boolean;
  compile(bytes: Uint8Array): Promise<WasmModule>;
}

declare const WebAssembly: WebAssemblyApi;

/** The global `WebAssembly`. */
export const wasm: WebAssemblyApi = WebAssembly;
