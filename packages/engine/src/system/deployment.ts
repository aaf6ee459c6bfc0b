// Deploying a machine: validate the module here, put it into the system group in chunks, make it the next
// version of its space, then wait until every group has made that version its active one. Each step is a
// message like any other, under this node's own session, so a retried step takes effect once.

import { assert, decodeUtf8, ERRORS, encodeBase64, encodeUtf8 } from '@deltabase/base';
import { type Message, type SessionRef, SYSTEM_SPACE } from '@deltabase/machine';
import type { LoadResult, MachineHost } from '../ports.js';
import {
  type AnswerSink,
  type Failure,
  failure,
  type Result,
  type Submission,
} from '../results.js';
import { type Task, wait } from '../task.js';
import type { MachineRegistry, MachineVersion } from './machine-registry.js';
import { MACHINES_KEY, moduleKey } from './system-machine.js';

export interface DeployRequest {
  readonly space: string;
  readonly module: Uint8Array;
  /** Refuse unless this is the latest version; 0: none is. */
  readonly expectedVersion: number | undefined;
  readonly principal: string;
  readonly expiresMs: number;
}

export type DeployResult =
  | { readonly kind: 'deployed'; readonly machine: MachineVersion; readonly unchanged: boolean }
  | Failure;

export interface DeploymentHost {
  readonly machines: MachineHost;
  readonly registry: MachineRegistry;
  /** One that was never used. */
  readonly session: SessionRef;
  nowMs(): number;
  submit(submission: Submission): void;
  /**
   * Calls `done` once this node knows the version and every group here has it active, or a later one; with
   * `false` if not in time.
   */
  whenActive(space: string, version: number, expiresMs: number, done: (is: boolean) => void): void;
  /** Calls `done` after `ms`. */
  after(ms: number, done: () => void): void;
}

const CHUNK_BYTES = 48 * 1024;
const RETRY_MS = 100;

/** One deployment. */
export class Deployment {
  readonly #host: DeploymentHost;
  readonly #request: DeployRequest;
  #lastNumber = 0;

  constructor(host: DeploymentHost, request: DeployRequest) {
    this.#host = host;
    this.#request = request;
  }

  /** The whole of it. */
  *run(): Task<DeployResult> {
    const { machines } = this.#host;
    const { space, module, expectedVersion } = this.#request;
    const loaded = yield* wait<LoadResult>((done) => machines.load(module, done));
    if (loaded.kind === 'invalid') return failure('MODULE_INVALID', loaded.message);
    if (loaded.kind === 'busy') return failure('OVERLOADED', loaded.message);
    machines.unload(loaded.machine);
    const hash = machines.digest(module);
    const failed = yield* this.#putModule(hash, module);
    if (failed !== undefined) return failed;
    const result = yield* this.#send(MACHINES_KEY, 'deploy', {
      space,
      hash,
      bytes: module.length,
      manifest: loaded.machine.manifest,
      expected: expectedVersion ?? null,
    });
    if (result.kind === 'failed') return result;
    assert(result.reply !== undefined, 'a deployment has a reply');
    const { version, unchanged } = JSON.parse(decodeUtf8(result.reply)!);
    return yield* this.#awaitActive(version, unchanged);
  }

  *#putModule(hash: string, module: Uint8Array): Task<Failure | undefined> {
    for (let at = 0; at < module.length; at += CHUNK_BYTES) {
      const chunk = String(at / CHUNK_BYTES).padStart(4, '0');
      const data = encodeBase64(module.subarray(at, at + CHUNK_BYTES));
      const result = yield* this.#send(moduleKey(hash), 'put_chunk', { chunk, data });
      if (result.kind === 'failed') return result;
    }
    return undefined;
  }

  /** The deployment is committed; it counts as done when every group here has it active. */
  *#awaitActive(version: number, unchanged: boolean): Task<DeployResult> {
    const { registry } = this.#host;
    const { space, expiresMs } = this.#request;
    const active = yield* wait<boolean>((done) =>
      this.#host.whenActive(space, version, expiresMs, done),
    );
    const machine = registry.get(space, version);
    if (!active) return late(space);
    assert(machine !== undefined, 'a version that is active is known');
    return { kind: 'deployed', machine, unchanged };
  }

  /** Sends one message to the system space, again and again until it is answered for good. */
  *#send(key: string, channel: string, payload: unknown): Task<Result> {
    const number = ++this.#lastNumber;
    const message: Message = {
      space: SYSTEM_SPACE,
      key,
      channel,
      payload: encodeUtf8(JSON.stringify(payload)),
      principal: this.#request.principal,
      // One after the other: those before have their answers.
      session: { ...this.#host.session, settled: number },
      number,
      after: 0,
    };
    for (let attempt = 1; ; attempt++) {
      const result = yield* this.#sendOnce({ ...message, retried: attempt > 1 });
      const isFinal = result.kind === 'accepted' || ERRORS[result.code].retry === 'never';
      if (isFinal || this.#host.nowMs() >= this.#request.expiresMs) return result;
      yield* wait<void>((done) => this.#host.after(RETRY_MS, () => done()));
    }
  }

  #sendOnce(message: Message): Task<Result> {
    const { expiresMs } = this.#request;
    return wait((done) => {
      const sink: AnswerSink = { answer: (_tag, result) => done(result), flush() {} };
      this.#host.submit({ message, sink, tag: 0, expiresMs });
    });
  }
}

function late(space: string): Failure {
  return failure(
    'DEADLINE_EXCEEDED',
    `the machine of ${space} is deployed, but not every group has it active yet: ask for it again, or ` +
      'deploy it again, which changes nothing',
  );
}
