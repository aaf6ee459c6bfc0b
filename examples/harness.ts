// Runs an example's machine on the real driver, with one document and no cluster: what its test sends is
// executed as the leader of a group would execute it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import { Draft, fromJson, type Json, toJson, type Value } from '@deltabase/delta';
import { makeWasmHost } from '@deltabase/driver-wasm';
import type { Machine, MachineHost, Outcome } from '@deltabase/engine';

/** A message as the lines of messages.ndjson have it. */
export interface Sample {
  readonly channel: string;
  readonly payload?: Json;
  readonly principal?: string;
  /** Milliseconds that pass before it. */
  readonly afterMs?: number;
}

/** What became of a message. */
export interface Sent {
  readonly outcome: Outcome;
  /** The reply; `undefined` where there is none. */
  readonly reply: Json | undefined;
  /** The code, where it failed. */
  readonly code: string | undefined;
  /** Why, where it failed. */
  readonly reason: string;
  /** Bytes of the patch in the delta. */
  readonly patchBytes: number;
}

/** A document of an example's machine. */
export class ExampleDocument {
  time = 1_700_000_000_000;
  readonly #host: MachineHost;
  readonly #machine: Machine;
  readonly #limits: Limits;
  #root: Value = null;
  #messages = 0;

  /** A document of the machine of examples/`name`, which has had no message. */
  constructor(name: string, limits: Partial<Limits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#host = makeWasmHost({ limits: this.#limits, soon: (run) => run() });
    let loaded: Machine | undefined;
    this.#host.load(readFileSync(pathOf(`${name}/build/machine.wasm`)), (result) => {
      assert.equal(result.kind, 'loaded', result.kind === 'invalid' ? result.message : '');
      if (result.kind === 'loaded') loaded = result.machine;
    });
    assert.ok(loaded !== undefined);
    this.#machine = loaded;
  }

  /** The document's state; null before the first message that took effect. */
  get state(): Json {
    return toJson(this.#root);
  }

  /** Executes a message; the document changes unless it fails. */
  send(channel: string, payload: Json = null, principal = 'anna'): Sent {
    const draft = new Draft(this.#root, this.#limits);
    const call = {
      create: this.#messages === 0,
      space: 'examples',
      key: 'document',
      channel,
      principal,
      messageId: `test/${this.#messages + 1}`,
      payload: fromJson(payload),
      time: this.time,
      seed: this.#messages,
    };
    const outcome = this.#host.run(this.#machine, call, draft);
    if (outcome.kind === 'done') {
      this.#root = draft.root;
      this.#messages++;
    }
    return sentOf(outcome, draft.patchLength);
  }

  /** Executes a message that must be done. */
  do(channel: string, payload: Json = null, principal = 'anna'): Json | undefined {
    const sent = this.send(channel, payload, principal);
    assert.equal(sent.code, undefined, `${channel} ${JSON.stringify(payload)}: ${sent.reason}`);
    return sent.reply;
  }

  /** Executes a message that must be rejected; why it was. */
  rejected(channel: string, payload: Json = null, principal = 'anna'): string {
    const sent = this.send(channel, payload, principal);
    assert.equal(sent.code, 'REJECTED', `${channel} ${JSON.stringify(payload)}: ${sent.reason}`);
    return sent.reason;
  }
}

/** The sample messages of an example. */
export function samplesOf(name: string): readonly Sample[] {
  const lines = readFileSync(pathOf(`${name}/messages.ndjson`), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as Sample);
}

/** Sends all sample messages to a new document; every one must be done. */
export function sendSamples(name: string): ExampleDocument {
  const document = new ExampleDocument(name);
  for (const { channel, payload, principal, afterMs = 0 } of samplesOf(name)) {
    document.time += afterMs;
    document.do(channel, payload, principal);
  }
  return document;
}

/** A file below examples/; this module lies in examples/dist. */
export function pathOf(relative: string): URL {
  return new URL(`../${relative}`, import.meta.url);
}

function sentOf(outcome: Outcome, patchBytes: number): Sent {
  if (outcome.kind === 'failed') {
    const { code, message } = outcome;
    return { outcome, reply: undefined, code, reason: message, patchBytes };
  }
  const text = outcome.reply === undefined ? undefined : Buffer.from(outcome.reply).toString();
  const reply = text === undefined ? undefined : (JSON.parse(text) as Json);
  return { outcome, reply, code: undefined, reason: '', patchBytes };
}
