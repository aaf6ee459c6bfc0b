// What a machine is and offers, derived from its module at deploy and kept beside it: who may be called,
// what it may do, what it needs. Plain JSON. Readers pass over fields they do not know, so later versions
// can add (queries, authorize, migrate, timers, sends) without breaking nodes that know less.

import { DeltabaseError } from '@deltabase/base';

/** The version of the guest ABI that this code speaks (docs/machine-abi.md). */
export const ABI_VERSION = 1;

/** A machine's description. */
export interface Manifest {
  /** Version of the guest ABI, from 1. */
  readonly abi: number;
  /** Channels that have a handler, sorted, no name twice. */
  readonly channels: readonly string[];
  /** Whether `init` runs before a document's first message. */
  readonly init: boolean;
  /** Host functions that the machine may call, sorted, no name twice: all that it can do. */
  readonly imports: readonly string[];
  /** Memory in pages of 64 KiB: when an instance begins, and what it may grow to. */
  readonly memoryPages: { readonly initial: number; readonly max: number };
}

/**
 * Reads a manifest from JSON as `JSON.parse` gives it. Throws INVALID_ARGUMENT naming the field at fault;
 * also for an ABI newer than ABI_VERSION, which this node could not run.
 */
export function parseManifest(json: unknown): Manifest {
  const fields = record(json, 'the manifest');
  const memory = record(fields['memoryPages'], 'memoryPages');
  const abi = whole(fields['abi'], 'abi', 1);
  if (abi > ABI_VERSION) throw bad('abi', `${abi} is newer than ${ABI_VERSION}; upgrade this node`);
  const initial = whole(memory['initial'], 'memoryPages.initial', 0);
  return {
    abi,
    channels: names(fields['channels'], 'channels'),
    init: flag(fields['init'], 'init'),
    imports: names(fields['imports'], 'imports'),
    memoryPages: { initial, max: whole(memory['max'], 'memoryPages.max', initial) },
  };
}

function record(json: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw bad(field, 'it is not an object');
  }
  return json as Record<string, unknown>;
}

function whole(json: unknown, field: string, min: number): number {
  if (typeof json === 'number' && Number.isSafeInteger(json) && json >= min) return json;
  throw bad(field, `it is not a whole number of at least ${min}`);
}

function flag(json: unknown, field: string): boolean {
  if (typeof json === 'boolean') return json;
  throw bad(field, 'it is neither true nor false');
}

function names(json: unknown, field: string): readonly string[] {
  if (!Array.isArray(json)) throw bad(field, 'it is not a list');
  for (const [i, name] of json.entries()) {
    if (typeof name !== 'string') throw bad(field, `entry ${i} is not a string`);
    if (i > 0 && name <= json[i - 1]) throw bad(field, `entry ${i} is out of order or there twice`);
  }
  return json.slice();
}

function bad(field: string, why: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', `manifest, ${field}: ${why}`, {
    details: { field },
  });
}
