import type { Log } from '../../src/ports.js';

/** A log that nobody reads. */
export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
