// Runs modules on the real driver as the engine does, without an engine.

import assert from 'node:assert/strict';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import { Draft, fromJson, type Json, toJson, type Value } from '@deltabase/delta';
import type { Call, Machine, MachineHost, Outcome } from '@deltabase/engine';
import { makeWasmHost } from '../src/index.js';
import { assemble, type ImportSource, type ModuleSource } from './assembler.js';

/** A machine on a host of its own, with one document. */
export interface Bench {
  readonly host: MachineHost;
  readonly machine: Machine;
  /** The document's state. */
  state(): Json;
  /** Sends a message; the document changes if it is done. */
  send(channel: string, payload?: Json, call?: Partial<Call>): Outcome;
}

/** `DEFAULT_LIMITS` with `changes`. */
export function limitsWith(changes: Partial<Limits>): Limits {
  return { ...DEFAULT_LIMITS, ...changes };
}

/** A host that loads within the call, and what it said of `module`. */
export function loadOn(host: MachineHost, module: Uint8Array): Machine {
  let machine: Machine | undefined;
  host.load(module, (result) => {
    assert.equal(result.kind, 'loaded', result.kind === 'invalid' ? result.message : '');
    if (result.kind === 'loaded') machine = result.machine;
  });
  assert.ok(machine !== undefined, 'the host loads within the call of `soon`');
  return machine;
}

/** A host whose loads happen within the call. */
export function hostNow(limits: Limits = DEFAULT_LIMITS): MachineHost {
  return makeWasmHost({ limits, soon: (run) => run() });
}

/** Why `module` is refused. */
export function refusal(module: Uint8Array, limits: Limits = DEFAULT_LIMITS): string {
  let message = '';
  hostNow(limits).load(module, (result) => {
    assert.equal(result.kind, 'invalid', 'the module should be refused');
    if (result.kind === 'invalid') message = result.message;
  });
  return message;
}

/** A machine made of `module`, with a document that is `state` and had `seq` messages. */
export function benchOf(
  module: Uint8Array | ModuleSource,
  { limits = DEFAULT_LIMITS, state = null as Json } = {},
): Bench {
  const host = hostNow(limits);
  const machine = loadOn(host, module instanceof Uint8Array ? module : assemble(module));
  let root: Value = fromJson(state);
  return {
    host,
    machine,
    state: () => toJson(root),
    send(channel, payload = null, call = {}) {
      const draft = new Draft(root, limits);
      const outcome = host.run(machine, callOf(channel, payload, call), draft);
      if (outcome.kind === 'done') root = draft.root;
      return outcome;
    },
  };
}

/** A call of `channel`; `call` changes the rest. */
export function callOf(channel: string, payload: Json = null, call: Partial<Call> = {}): Call {
  return {
    create: false,
    space: 'space',
    key: 'key',
    channel,
    principal: 'anna',
    messageId: 'session/1',
    payload: fromJson(payload),
    time: 1_700_000_000_000,
    seed: 7,
    ...call,
  };
}

/** The reply of an outcome that must be done; `undefined`: there was none. */
export function replyOf(outcome: Outcome): Json | undefined {
  assert.equal(
    outcome.kind,
    'done',
    outcome.kind === 'failed' ? `${outcome.code}: ${outcome.message}` : '',
  );
  if (outcome.kind !== 'done' || outcome.reply === undefined) return undefined;
  return JSON.parse(Buffer.from(outcome.reply).toString('utf8'));
}

/** The code of an outcome that must have failed. */
export function codeOf(outcome: Outcome): string {
  assert.equal(outcome.kind, 'failed', 'the message should fail');
  return outcome.kind === 'failed' ? outcome.code : '';
}

/** All host functions, to be imported in this order. */
export const HOST_IMPORTS: readonly ImportSource[] = [
  { name: 'read', params: 'i32 i32 i32', results: 'i32' },
  { name: 'take', params: 'i32' },
  { name: 'read_text', params: 'i32 i32 i32', results: 'i32' },
  { name: 'read_number', params: 'i32 i32 i32', results: 'f64' },
  { name: 'read_kind', params: 'i32 i32 i32', results: 'i32' },
  { name: 'read_count', params: 'i32 i32 i32', results: 'i32' },
  { name: 'read_keys', params: 'i32 i32 i32 i32 i32 i32', results: 'i32' },
  { name: 'context', params: 'i32', results: 'i32' },
  { name: 'emit', params: 'i32 i32 i32 i32 i32' },
  { name: 'emit_text', params: 'i32 i32 i32 i32 i32' },
  { name: 'emit_number', params: 'i32 i32 i32 f64' },
  { name: 'reply', params: 'i32 i32' },
  { name: 'reply_text', params: 'i32 i32' },
  { name: 'reply_number', params: 'f64' },
  { name: 'reject', params: 'i32 i32' },
  { name: 'now', results: 'f64' },
  { name: 'random', results: 'i32' },
  { name: 'log', params: 'i32 i32 i32' },
];
