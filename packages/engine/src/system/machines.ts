// The machines of the cluster on this node: the document that lists them, kept in memory and followed, their
// modules, and what of them is compiled. Messages of the system space run here, without Wasm.

import { DeltabaseError, type Limits } from '@deltabase/base';
import type { Draft, Value } from '@deltabase/delta';
import { SYSTEM_GROUP, SYSTEM_SPACE } from '@deltabase/machine';
import type { LocalDocument } from '../documents/local-document.js';
import type { Versions } from '../groups/activations.js';
import type { Group } from '../groups/group.js';
import { runMembersMachine } from '../members/members-machine.js';
import type { MembersView } from '../members/members-refusals.js';
import { MEMBERS_KEY } from '../members/members-state.js';
import type { Call, Log, Machine, MachineHost, Outcome } from '../ports.js';
import { MachineLog } from './machine-log.js';
import { MachineRegistry, type MachineVersion } from './machine-registry.js';
import { MACHINES_KEY, moduleKey, runSystemMachine } from './system-machine.js';

export interface MachinesOptions {
  readonly host: MachineHost;
  readonly log: Log;
  readonly limits: Limits;
  readonly system: Group;
  readonly inTurn: (step: () => void) => void;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** What messages to the members document go by. */
  readonly membersView: MembersView;
  /** There are other latest versions. */
  readonly changed: () => void;
}

const NONE: Versions = [];

export class Machines {
  readonly registry: MachineRegistry;
  readonly #host: MachineHost;
  readonly #system: Group;
  readonly #changed: () => void;
  readonly #membersView: MembersView;
  readonly #machineLog: MachineLog;
  #latest: readonly MachineVersion[] = [];

  constructor(options: MachinesOptions) {
    const { host, log, limits, system, inTurn, nowMs, changed, membersView } = options;
    this.#membersView = membersView;
    this.#host = host;
    this.#system = system;
    this.#changed = changed;
    this.#machineLog = new MachineLog({ log, limits, nowMs });
    const readModule = (hash: string, done: (state: Value | undefined) => void): void =>
      this.#readModule(hash, done);
    this.registry = new MachineRegistry({ host, log, readModule, inTurn, nowMs });
  }

  /** The latest versions that `group` should run: another list for every change. */
  latestVersions(group: number): Versions {
    return group === SYSTEM_GROUP ? NONE : this.#latest;
  }

  /** The list stays in memory from now on, until the system group's documents are replaced. */
  follow(): void {
    const machines = this.#system.documents.open(SYSTEM_SPACE, MACHINES_KEY);
    machines.watches++;
    this.#system.load(SYSTEM_SPACE, MACHINES_KEY, (local) => {
      if (local !== undefined) this.#update(local);
    });
  }

  /** Something was applied to a document of the system group. */
  documentChanged(local: LocalDocument): void {
    if (local.key === MACHINES_KEY && local.document !== undefined) this.#update(local);
  }

  /** A module's bytes; `undefined` if this node does not have them. */
  module(hash: string, done: (module: Uint8Array | undefined) => void): void {
    this.#readModule(hash, (state) => {
      done(
        state === undefined || state === null ? undefined : this.registry.moduleBytes(hash, state),
      );
    });
  }

  /** Runs one message; without a machine it is one of the system space. */
  run(machine: Machine | undefined, call: Call, draft: Draft): Outcome {
    if (machine !== undefined) {
      const outcome = this.#host.run(machine, call, draft);
      if (outcome.logs.length > 0) this.#machineLog.write(call, outcome.logs);
      return outcome;
    }
    try {
      if (call.key === MEMBERS_KEY) return runMembersMachine(call, draft, this.#membersView);
      return runSystemMachine(call, draft);
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      return { kind: 'failed', code: thrown.code, message: thrown.message, fuel: 0, logs: [] };
    }
  }

  #update(machines: LocalDocument): void {
    this.registry.update(machines.document!.committed.root);
    this.#latest = this.registry.list();
    this.#changed();
  }

  /** The state of `modules/HASH`, null if it has none; `undefined`: this node stops. */
  #readModule(hash: string, done: (state: Value | undefined) => void): void {
    this.#system.load(SYSTEM_SPACE, moduleKey(hash), (local) => {
      done(local === undefined ? undefined : local.document!.committed.root);
    });
  }
}
