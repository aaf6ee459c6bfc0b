// Names of spaces, documents and channels: what is allowed, and which group a document belongs to.
// The group function is part of the protocol (clients route by it): docs/wire-formats.md gives vectors.

import { DeltabaseError, encodeUtf8, type Limits } from '@deltabase/base';

/** The space in which the cluster keeps its own documents (machines); in group 0, without Wasm. */
export const SYSTEM_SPACE = '$system';

/** The group of the system space; user documents live in the groups from 1 on. */
export const SYSTEM_GROUP = 0;

const SPACE = /^[a-z0-9][a-z0-9._-]*$/;
const CHANNEL = /^[a-z][a-z0-9_]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Throws INVALID_ARGUMENT unless `space` is a name a user may give to a space. */
export function checkSpaceName(space: string, limits: Limits): void {
  if (SPACE.test(space) && space.length <= limits.spaceNameBytesMax) return;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `space ${quote(space)}: use 1 to ${limits.spaceNameBytesMax} of a-z 0-9 . _ - and begin with a ` +
      'letter or digit',
  );
}

/** Throws INVALID_ARGUMENT unless `key` can name a document. */
export function checkDocumentKey(key: string, limits: Limits): void {
  const max = limits.documentKeyBytesMax;
  if (key.length === 0) throw new DeltabaseError('INVALID_ARGUMENT', 'the document key is empty');
  if (CONTROL.test(key) || !key.isWellFormed()) {
    throw new DeltabaseError(
      'INVALID_ARGUMENT',
      `key ${quote(key)} holds a control character or a lone surrogate: remove it`,
    );
  }
  if (key.length > max || (key.length > max / 3 && encodeUtf8(key).length > max)) {
    throw new DeltabaseError('INVALID_ARGUMENT', `the document key is longer than ${max} bytes`);
  }
}

/** Throws INVALID_ARGUMENT unless `channel` can name a handler. */
export function checkChannelName(channel: string, limits: Limits): void {
  if (CHANNEL.test(channel) && channel.length <= limits.channelNameBytesMax) return;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `channel ${quote(channel)}: use 1 to ${limits.channelNameBytesMax} of a-z 0-9 _ and begin with ` +
      'a letter',
  );
}

/**
 * The group of a document in a cluster with `groups` document groups (at least 1): 0 for the system space,
 * else 1 + nameHash mod groups.
 */
export function groupOf(space: string, key: string, groups: number): number {
  if (space === SYSTEM_SPACE) return SYSTEM_GROUP;
  return 1 + (nameHash(space, key) % groups);
}

/**
 * An unsigned 32-bit hash of the name: FNV-1a over the UTF-8 bytes of `space`, a zero byte and `key`,
 * finished with the 32-bit finaliser of MurmurHash3.
 */
export function nameHash(space: string, key: string): number {
  let hash = fnv1a(0x811c9dc5, space);
  hash = fnv1a(Math.imul(hash, 0x01000193), key);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function fnv1a(seed: number, text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return fnv1aBytes(hash, encodeUtf8(text.slice(i)));
    hash = Math.imul(hash ^ unit, 0x01000193);
  }
  return hash;
}

function fnv1aBytes(seed: number, bytes: Uint8Array): number {
  let hash = seed;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}
