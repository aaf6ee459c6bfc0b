// Which machines there are, as the system group's document tells, and those of them that are compiled here.
// A version becomes active in a group by an entry in that group's log (group.ts), so that every message runs
// on the version its place in the log says; this is where its module comes from.

import { assert, DeltabaseError, decodeBase64 } from '@deltabase/base';
import { getAt, isObject, membersOf, toJson, type Value } from '@deltabase/delta';
import { type Manifest, parseManifest } from '@deltabase/machine';
import type { Log, Machine, MachineHost } from '../ports.js';

/** A deployed version of a space's machine. */
export interface MachineVersion {
  readonly space: string;
  /** From 1. */
  readonly version: number;
  /** SHA-256 of the module, hexadecimal. */
  readonly hash: string;
  readonly bytes: number;
  readonly manifest: Manifest;
  /** Milliseconds since 1970. */
  readonly deployedAt: number;
  readonly principal: string;
}

/** Reads the state of `modules/HASH`; `undefined` if this node does not have it (yet). */
export type ModuleReader = (hash: string, done: (state: Value | undefined) => void) => void;

interface Waiting {
  readonly space: string;
  readonly version: number;
  readonly ready: () => void;
}

export class MachineRegistry {
  readonly #host: MachineHost;
  readonly #log: Log;
  readonly #readModule: ModuleReader;
  readonly #inTurn: (step: () => void) => void;
  #state: Value = null;
  readonly #machines = new Map<string, Machine>();
  readonly #loading = new Set<string>();
  #waiting: Waiting[] = [];

  constructor(options: {
    readonly host: MachineHost;
    readonly log: Log;
    readonly readModule: ModuleReader;
    readonly inTurn: (step: () => void) => void;
  }) {
    this.#host = options.host;
    this.#log = options.log;
    this.#readModule = options.readModule;
    this.#inTurn = options.inTurn;
  }

  /** The document of machines has a new state. */
  update(state: Value): void {
    this.#state = state;
    this.#startLoads();
  }

  /** The latest version of every space, by name. */
  list(): MachineVersion[] {
    return this.spaces().map((space) => this.get(space, this.latest(space))!);
  }

  /** The spaces that have a machine, by name. */
  spaces(): string[] {
    const spaces = this.#state === null ? undefined : getAt(this.#state, '/spaces');
    if (spaces === undefined || spaces === null || !isObject(spaces)) return [];
    return [...membersOf(spaces)].map(([space]) => space);
  }

  /** The latest version of a space; 0 if it has none. */
  latest(space: string): number {
    const latest = this.#state === null ? undefined : getAt(this.#state, `/spaces/${space}/latest`);
    return typeof latest === 'number' ? latest : 0;
  }

  /** What is known of a version; `undefined`: nothing here (yet). */
  get(space: string, version: number): MachineVersion | undefined {
    if (this.#state === null) return undefined;
    const found = getAt(this.#state, `/spaces/${space}/versions/${version}`);
    if (found === undefined) return undefined;
    const fields = toJson(found) as Record<string, unknown>;
    return {
      space,
      version,
      hash: String(fields['hash']),
      bytes: Number(fields['bytes']),
      manifest: parseManifest(fields['manifest']),
      deployedAt: Number(fields['at']),
      principal: String(fields['by']),
    };
  }

  /** The compiled machine, if it is here. */
  machine(space: string, version: number): Machine | undefined {
    return this.#machines.get(machineName(space, version));
  }

  /** Calls `ready` in a turn once the machine is here; see `machine`. */
  whenReady(space: string, version: number, ready: () => void): void {
    this.#waiting.push({ space, version, ready });
    this.#startLoads();
  }

  /** The module's bytes out of its document's state. Throws DATA_CORRUPT if they are not what `hash` says. */
  moduleBytes(hash: string, state: Value): Uint8Array {
    const chunks = getAt(state, '/chunks');
    assert(chunks !== undefined && chunks !== null && isObject(chunks), 'a module has chunks');
    const parts = [...membersOf(chunks)].map(([, data]) => decodeBase64(String(data)));
    const module = concat(parts.map((part) => part ?? new Uint8Array(0)));
    if (this.#host.digest(module) === hash) return module;
    throw new DeltabaseError('DATA_CORRUPT', `the stored module ${hash} has another content`);
  }

  #startLoads(): void {
    for (const { space, version } of this.#waiting) {
      const name = machineName(space, version);
      const known = this.get(space, version);
      if (known === undefined || this.#machines.has(name) || this.#loading.has(name)) continue;
      this.#loading.add(name);
      this.#readModule(known.hash, (state) => this.#compile(name, known, state));
    }
  }

  #compile(name: string, version: MachineVersion, state: Value | undefined): void {
    if (state === undefined || state === null) {
      // The system group is behind here; its next delta starts the load again.
      this.#loading.delete(name);
      return;
    }
    const module = this.moduleBytes(version.hash, state);
    this.#host.load(module, (result) =>
      this.#inTurn(() => {
        this.#loading.delete(name);
        if (result.kind === 'loaded') this.#loaded(name, version, result.machine);
        else this.#log.error('machine-invalid', { machine: name, reason: result.message });
      }),
    );
  }

  #loaded(name: string, { space, version }: MachineVersion, machine: Machine): void {
    this.#machines.set(name, machine);
    this.#unloadOlder(space, version);
    const ready = this.#waiting.filter((w) => w.space === space && w.version === version);
    this.#waiting = this.#waiting.filter((w) => !ready.includes(w));
    for (const waiting of ready) waiting.ready();
  }

  /** Two versions stay: groups take the newer one into use one after the other. */
  #unloadOlder(space: string, version: number): void {
    for (let older = version - 2; older > 0; older--) {
      const name = machineName(space, older);
      const machine = this.#machines.get(name);
      if (machine === undefined) return;
      this.#machines.delete(name);
      this.#host.unload(machine);
    }
  }
}

function machineName(space: string, version: number): string {
  return `${space}@${version}`;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
