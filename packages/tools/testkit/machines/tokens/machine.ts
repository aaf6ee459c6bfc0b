// The machine that simulations run, as Wasm: src/machines/token-machine.ts is the same in JavaScript, and says what
// each channel is for. machine.wasm beside it is what this compiles to; a test compares the two:
//   node packages/sdk/guest-assemblyscript/build.mjs machine.ts machine.wasm

import {
  JsonArray,
  JsonObject,
  Kind,
  message,
  patch,
  randomBelow,
  reject,
  reply,
  state,
} from '@deltabase/guest-assemblyscript';

export function on_append(): void {
  append(token());
  reply(state.count(''));
}

export function on_append_much(): void {
  append(token() + ' ' + randomBelow(1_000_000).toString().repeat(40));
  reply(state.count(''));
}

export function on_look(): void {
  reply(state.count(''));
}

export function on_refuse(): void {
  reject(state.count('').toString());
}

export function on_append_and_refuse(): void {
  append(token());
  reject((state.count('') - 1).toString());
}

export function on_append_and_trap(): void {
  append(token());
  unreachable();
}

export function on_put(): void {
  change(token());
}

export function on_compare_and_set(): void {
  if (state.integer('/version') != message.integer('/version')) reply(false);
  else change(token());
}

export function on_delete(): void {
  if (state.has('/value')) patch.remove('/value');
  setVersion();
}

export function on_get(): void {
  const answer = new JsonObject().set('version', state.integer('/version'));
  reply(state.has('/value') ? answer.set('value', state.text('/value')) : answer);
}

function append(element: string): void {
  if (state.kind('') != Kind.List) patch.add('', new JsonArray());
  patch.add('/-', element);
}

function change(value: string): void {
  if (state.kind('') != Kind.Object) patch.add('', new JsonObject());
  patch.add('/value', value);
  setVersion();
}

function setVersion(): void {
  if (state.kind('') != Kind.Object) patch.add('', new JsonObject());
  const version = state.integer('/version') + 1;
  patch.add('/version', version);
  reply(version);
}

function token(): string {
  return message.text('/token');
}
