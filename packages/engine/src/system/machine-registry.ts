// Which machines there are, as the system group's document tells, and those of them that are compiled here.
// A version becomes active in a group by an entry in that group's log (activations.ts), so that every message
// runs on the version its place in the log says; this is where its module comes from.

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

/** Reads the state of `modules/HASH`, which is stored before a version uses it; `undefined`: this node stops. */
export type ModuleReader = (hash: string, done: (state: Value | undefined) => void) => void;

/** Why a version has no machine here: it never will, or there is no room now, and asking later may help. */
export type NoMachine = 'unusable' | 'busy';

/** A version that somebody wants to run: its machine once it is compiled, or why it is not. */
interface Wanted {
  readonly space: string;
  readonly version: number;
  machine: Machine | NoMachine | undefined;
  /** Failed attempts to load it for want of room, and when the next may be made. */
  attempts: number;
  retryAtMs: number;
  loading: boolean;
  /** Who waits for it. */
  readonly ready: Array<() => void>;
}

/** Without room, a load is tried again so soon at first, then ever later up to the maximum, ms. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 10_000;

export class MachineRegistry {
  readonly #host: MachineHost;
  readonly #log: Log;
  readonly #readModule: ModuleReader;
  readonly #inTurn: (step: () => void) => void;
  readonly #nowMs: () => number;
  #state: Value = null;
  /** By space, then by version. */
  readonly #wanted = new Map<string, Map<number, Wanted>>();

  constructor(options: {
    readonly host: MachineHost;
    readonly log: Log;
    readonly readModule: ModuleReader;
    readonly inTurn: (step: () => void) => void;
    /** Milliseconds of a monotonic clock. */
    readonly nowMs: () => number;
  }) {
    this.#host = options.host;
    this.#log = options.log;
    this.#readModule = options.readModule;
    this.#inTurn = options.inTurn;
    this.#nowMs = options.nowMs;
  }

  /** The document of machines has a new state. */
  update(state: Value): void {
    this.#state = state;
    for (const versions of this.#wanted.values()) {
      for (const wanted of versions.values()) this.#maybeLoad(wanted);
    }
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

  /**
   * The compiled machine; `unusable` if this node cannot run it, `busy` if it has no room for it now, which its
   * log explains; `undefined` if it is not here yet: then `ready` is called once, in a later turn, when one or
   * the other is known. Whoever asks after a while of `busy` has the machine loaded again.
   */
  machine(space: string, version: number, ready: () => void): Machine | NoMachine | undefined {
    const wanted = this.#want(space, version);
    if (wanted.machine === 'busy' && this.#nowMs() >= wanted.retryAtMs) wanted.machine = undefined;
    if (wanted.machine !== undefined) return wanted.machine;
    wanted.ready.push(ready);
    this.#maybeLoad(wanted);
    return undefined;
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

  #want(space: string, version: number): Wanted {
    let versions = this.#wanted.get(space);
    if (versions === undefined) {
      versions = new Map();
      this.#wanted.set(space, versions);
    }
    let wanted = versions.get(version);
    if (wanted === undefined) {
      wanted = {
        space,
        version,
        machine: undefined,
        attempts: 0,
        retryAtMs: 0,
        loading: false,
        ready: [],
      };
      versions.set(version, wanted);
    }
    return wanted;
  }

  #maybeLoad(wanted: Wanted): void {
    if (wanted.loading || wanted.machine !== undefined) return;
    const known = this.get(wanted.space, wanted.version);
    if (known === undefined) return; // The system group is behind here: its next delta tries again.
    wanted.loading = true;
    this.#readModule(known.hash, (state) => {
      if (state === undefined) return; // This node stops.
      this.#host.load(this.moduleBytes(known.hash, state), (result) =>
        this.#inTurn(() => {
          if (result.kind === 'loaded') this.#loaded(wanted, result.machine);
          else if (result.kind === 'busy') this.#delayed(wanted, result.message);
          else this.#failed(wanted, result.message);
        }),
      );
    });
  }

  #loaded(wanted: Wanted, machine: Machine): void {
    this.#settle(wanted, machine);
    this.#unloadOlder(wanted.space, wanted.version);
  }

  #failed(wanted: Wanted, reason: string): void {
    const { space, version } = wanted;
    this.#log.error('machine-unusable', { space, version, reason });
    this.#settle(wanted, 'unusable');
  }

  #delayed(wanted: Wanted, reason: string): void {
    const { space, version } = wanted;
    const waitMs = Math.min(RETRY_MS_MIN * 2 ** wanted.attempts, RETRY_MS_MAX);
    wanted.attempts++;
    wanted.retryAtMs = this.#nowMs() + waitMs;
    this.#log.warn('machine-delayed', { space, version, reason, waitMs });
    this.#settle(wanted, 'busy');
  }

  #settle(wanted: Wanted, machine: Machine | NoMachine): void {
    wanted.loading = false;
    wanted.machine = machine;
    for (const ready of wanted.ready.splice(0)) ready();
  }

  /** Two versions stay: groups take the newer one into use one after the other. */
  #unloadOlder(space: string, newest: number): void {
    const versions = this.#wanted.get(space)!;
    for (const { version, machine } of versions.values()) {
      if (version >= newest - 1 || machine === undefined) continue;
      versions.delete(version);
      if (typeof machine !== 'string') this.#host.unload(machine);
    }
  }
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
