// JSON Pointers (RFC 6901) as text, which is how operations carry them, and as their reference tokens.
// Parsed pointers are remembered, because hot documents see the same few; the memory is bounded.

import { DeltabaseError } from '@deltabase/base';

/** The reference tokens of a pointer, unescaped; none for the whole document. */
export type Tokens = readonly string[];

/** The tokens of `pointer`; throws INVALID_ARGUMENT where it is malformed (RFC 6901 §3). */
export function parsePointer(pointer: string): Tokens {
  const tokens = tokensOf(pointer);
  if (tokens === undefined) throw new DeltabaseError('INVALID_ARGUMENT', malformed(pointer));
  return tokens;
}

/** The pointer of `tokens`. */
export function formatPointer(tokens: Tokens): string {
  let pointer = '';
  for (const token of tokens) pointer += `/${escapeToken(token)}`;
  return pointer;
}

/** `token` as it stands in a pointer. */
export function escapeToken(token: string): string {
  if (!token.includes('~') && !token.includes('/')) return token;
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The position that `token` means in an array (RFC 6901 §4); -1 if it means none, as `-` and `01`. */
export function arrayIndex(token: string): number {
  if (token.length === 0 || token.length > INDEX_DIGITS_MAX) return -1;
  if (token.charCodeAt(0) === ZERO) return token.length === 1 ? 0 : -1;
  let index = 0;
  for (let i = 0; i < token.length; i++) {
    const digit = token.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    index = index * 10 + digit;
  }
  return index;
}

/** The tokens of `pointer`; `undefined` where it is malformed. */
export function tokensOf(pointer: string): Tokens | undefined {
  if (pointer === newestPointer) return newestTokens;
  if (pointer.length > REMEMBERED_UNITS_MAX) return splitPointer(pointer);
  const hash = hashOf(pointer);
  const place = hash & (PLACES - 1);
  const isKnown = hashes[place] === hash;
  if (isKnown && rememberedPointers[place] === pointer) return rememberedTokens[place];
  const tokens = splitPointer(pointer);
  if (tokens === undefined) return undefined;
  hashes[place] = hash;
  if (isKnown) {
    rememberedPointers[place] = pointer;
    rememberedTokens[place] = tokens;
  } else {
    newestPointer = pointer;
    newestTokens = tokens;
  }
  return tokens;
}

/** What is wrong with a malformed pointer, and what to do. */
export function malformed(pointer: string): string {
  return (
    `${quotePointer(pointer)} is not a JSON pointer: begin each part with "/" and write "~" as ` +
    '"~0" and "/" as "~1"; "" is the whole document'
  );
}

/** `pointer` for a message: quoted, and cut where it is long. */
export function quotePointer(pointer: string): string {
  return JSON.stringify(pointer.length <= 100 ? pointer : `${pointer.slice(0, 97)}...`);
}

const ZERO = 0x30;
const SLASH = 0x2f;
/** Digits of an index that is exact as a double, and beyond the elements of any array. */
const INDEX_DIGITS_MAX = 15;

/**
 * Pointers remembered, each in the one place its hash leads to: some 200 KB at most. Only those that come again: of
 * one that does not, as in huge documents, the hash is left, and to write that costs less than to keep it.
 */
const PLACES = 512;
const REMEMBERED_UNITS_MAX = 128;
/** The hash of the last pointer that led to each place. */
const hashes = new Int32Array(PLACES);
const rememberedPointers: string[] = Array.from({ length: PLACES }, () => '');
const rememberedTokens: Tokens[] = Array.from({ length: PLACES }, () => []);
/** The last pointer that is not remembered: what a message reads it changes next. */
let newestPointer = '';
let newestTokens: Tokens = [];

function hashOf(pointer: string): number {
  let hash = 0;
  for (let i = 0; i < pointer.length; i++) {
    hash = Math.imul(hash ^ pointer.charCodeAt(i), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

function splitPointer(pointer: string): Tokens | undefined {
  if (pointer === '') return [];
  if (pointer.charCodeAt(0) !== SLASH) return undefined;
  if (!pointer.includes('~')) {
    // Splitting costs ten times as much as finding that there is nothing to split, as in flat documents.
    const name = pointer.slice(1);
    return name.includes('/') ? name.split('/') : [name];
  }
  if (/~(?![01])/.test(pointer)) return undefined;
  // "~1" first would turn "~01" into "/" (RFC 6901 §4).
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}
