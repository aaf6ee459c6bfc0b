// The machine of the system space: what the cluster keeps about itself is documents like any other, but
// their handlers are these functions instead of Wasm. Beside the members (members/members-machine.ts) there are:
//   machines         {"spaces": {NAME: {"latest": n, "versions": {"1": {hash, bytes, manifest, at, by}}}}}
//   modules/HASH     {"chunks": {"0000": "base64", ...}}
// Only the engine sends them messages (deployment.ts).

import { DeltabaseError, type ErrorCode } from '@deltabase/base';
import { canonicalBytes, type Draft, fromJson, getAt, toJson, type Value } from '@deltabase/delta';
import { parseManifest } from '@deltabase/machine';
import type { Call, Outcome } from '../ports.js';

/** The document that lists every machine. */
export const MACHINES_KEY = 'machines';

/** The document that holds the module with this content hash. */
export function moduleKey(hash: string): string {
  return `modules/${hash}`;
}

/** Runs one message of the system space. */
export function runSystemMachine(call: Call, draft: Draft): Outcome {
  if (call.channel === 'put_chunk') return putChunk(call, draft);
  if (call.channel === 'deploy') return deploy(call, draft);
  return refuse('CHANNEL_NOT_FOUND', `the system space has no channel ${call.channel}`);
}

/** Payload: {"chunk": "0000", "data": "base64"}. Putting it again changes nothing. */
function putChunk(call: Call, draft: Draft): Outcome {
  const path = `/chunks/${textAt(call.payload, '/chunk')}`;
  if (draft.get('') === null) draft.emit({ op: 'add', path: '', value: EMPTY_MODULE });
  if (draft.get(path) === undefined) {
    draft.emit({ op: 'add', path, value: textAt(call.payload, '/data') });
  }
  return DONE;
}

/**
 * Payload: {"space", "hash", "bytes", "manifest", "expected" or null}. Makes the module the next version,
 * unless the latest one is the same module. Reply: {"version", "unchanged"}.
 */
function deploy(call: Call, draft: Draft): Outcome {
  const { payload } = call;
  const hash = textAt(payload, '/hash');
  const path = `/spaces/${textAt(payload, '/space')}`;
  if (draft.get('') === null) draft.emit({ op: 'add', path: '', value: EMPTY_MACHINES });
  const latest = numberAt(draft.root, `${path}/latest`);
  const expected = getAt(payload, '/expected');
  const isSame = latest > 0 && draft.get(`${path}/versions/${latest}/hash`) === hash;
  // A deployment that is asked for again, because its answer was lost, finds itself done.
  const isAgain = isSame && expected === latest - 1;
  if (typeof expected === 'number' && expected !== latest && !isAgain) {
    return refuse(
      'VERSION_CONFLICT',
      `version ${latest} is deployed, not ${expected}: look at it before you replace it`,
    );
  }
  if (isSame) return deployed(latest, { unchanged: true });
  const version = latest + 1;
  if (latest === 0) draft.emit({ op: 'add', path, value: EMPTY_SPACE });
  draft.emit({ op: 'replace', path: `${path}/latest`, value: version });
  const at = `${path}/versions/${version}`;
  draft.emit({ op: 'add', path: at, value: NOTHING_YET });
  draft.emit({ op: 'add', path: `${at}/hash`, value: hash });
  draft.emit({ op: 'add', path: `${at}/bytes`, value: numberAt(payload, '/bytes') });
  draft.emit({ op: 'add', path: `${at}/manifest`, value: manifestAt(payload) });
  draft.emit({ op: 'add', path: `${at}/at`, value: call.time });
  draft.emit({ op: 'add', path: `${at}/by`, value: call.principal });
  return deployed(version, { unchanged: false });
}

function deployed(version: number, { unchanged }: { readonly unchanged: boolean }): Outcome {
  return { ...DONE, reply: canonicalBytes(fromJson({ version, unchanged })) };
}

const EMPTY_MODULE = fromJson({ chunks: {} });
const EMPTY_MACHINES = fromJson({ spaces: {} });
const EMPTY_SPACE = fromJson({ latest: 0, versions: {} });
const NOTHING_YET = fromJson({});
const DONE = { kind: 'done', reply: undefined, fuel: 0, logs: [] } as const satisfies Outcome;

function textAt(value: Value, pointer: string): string {
  const text = getAt(value, pointer);
  if (typeof text === 'string') return text;
  throw new DeltabaseError('INVALID_ARGUMENT', `the payload has no text at ${pointer}`);
}

/** What every node will have to read. */
function manifestAt(payload: Value): Value {
  const manifest = getAt(payload, '/manifest') ?? null;
  parseManifest(toJson(manifest));
  return manifest;
}

function numberAt(value: Value, pointer: string): number {
  const number = getAt(value, pointer);
  return typeof number === 'number' ? number : 0;
}

function refuse(code: ErrorCode, message: string): Outcome {
  return { kind: 'failed', code, message, fuel: 0, logs: [] };
}
