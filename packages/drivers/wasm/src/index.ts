// @deltabase/driver-wasm: the MachineHost port on WebAssembly.

export { makeWasmHost, type WasmHostOptions } from './host.js';
export { type PreparedModule, prepareModule } from './prepare.js';
