// Payloads as the command line gives them: JSON itself, `-` for standard input, `@file` for a file; and lines
// of JSON, one after the other.

import { open, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { DeltabaseError } from '@deltabase/base';
import type { Json } from '@deltabase/client';
import type { Io } from './io.js';

/** The payload that `argument` stands for; `undefined` if there is none. Throws INVALID_ARGUMENT. */
export async function readPayload(argument: string | undefined, io: Io): Promise<Json | undefined> {
  if (argument === undefined) return undefined;
  if (argument === '-') return parseJson(await readText(io.stdin), 'standard input');
  if (argument.startsWith('@')) {
    const path = argument.slice(1);
    return parseJson(await readTextFile(path), path);
  }
  return parseJson(argument, 'the payload');
}

/** A line of input and where it stands, from 1. */
export interface Line {
  readonly number: number;
  readonly value: Json;
}

/** The lines of `-` (or nothing) or `@file`, parsed; empty ones are left out. */
export async function* readLines(argument: string | undefined, io: Io): AsyncGenerator<Line> {
  const input = await linesFrom(argument, io);
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    number++;
    if (line.trim() !== '') yield { number, value: parseJson(line, `line ${number}`) };
  }
}

async function linesFrom(argument: string | undefined, io: Io): Promise<Readable> {
  if (argument === undefined || argument === '-') return io.stdin;
  if (!argument.startsWith('@')) {
    throw new DeltabaseError('INVALID_ARGUMENT', 'with --ndjson the payloads come from - or @file');
  }
  const path = argument.slice(1);
  try {
    return (await open(path)).createReadStream({ encoding: 'utf8' });
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Reads a file. Throws INVALID_ARGUMENT naming it. */
export async function readBytesFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): DeltabaseError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DeltabaseError('INVALID_ARGUMENT', `cannot read ${path}: ${reason}`, { cause });
}

async function readTextFile(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytesFile(path));
}

function parseJson(text: string, where: string): Json {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeltabaseError(
      'INVALID_ARGUMENT',
      `${where} is not JSON (${reason}): quote strings, as in '"text"'`,
      { cause },
    );
  }
}
