// Payloads and modules as the command line gives them: JSON itself, `-` for standard input, `@file` for a file;
// and lines of JSON, one after the other. All of it has a limit: who names the wrong file gets an error, not a
// process without memory.

import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { DeltabaseError } from '@deltabase/base';
import type { Json } from '@deltabase/client';
import { parseValue } from '@deltabase/delta';
import type { Io } from './io.js';
import { splitLines } from './lines.js';

const MIB = 1024 * 1024;
/** No cluster takes a message of that size. */
const PAYLOAD_BYTES_MAX = 4 * MIB;
/** Nor one of such depth. */
const PAYLOAD_DEPTH_MAX = 1000;
/** Nor such a module. */
const MODULE_BYTES_MAX = 64 * MIB;

/** The payload that `argument` stands for; `undefined` if there is none. Throws INVALID_ARGUMENT. */
export async function readPayload(argument: string | undefined, io: Io): Promise<Json | undefined> {
  if (argument === undefined) return undefined;
  const path = argument.startsWith('@') ? argument.slice(1) : argument;
  if (path === argument && argument !== '-') return parseJson(argument, 'the payload');
  const input = openInput(path, io);
  const bytes = await readAll(input, { bytesMax: PAYLOAD_BYTES_MAX, what: 'a payload' });
  return parseJson(decode(bytes, input.name), input.name);
}

/** The module in a file, or in standard input for `-`. Throws INVALID_ARGUMENT. */
export function readModule(path: string, io: Io): Promise<Uint8Array> {
  return readAll(openInput(path, io), { bytesMax: MODULE_BYTES_MAX, what: 'a module' });
}

/** A line of input and where it stands, from 1. */
export interface Line {
  readonly number: number;
  readonly value: Json;
}

/**
 * The lines of `-` (or nothing) or `@file`, parsed; empty ones are left out. Throws INVALID_ARGUMENT at the
 * first that is not JSON.
 */
export async function* readLines(argument: string | undefined, io: Io): AsyncGenerator<Line> {
  const path = argument?.startsWith('@') ? argument.slice(1) : (argument ?? '-');
  if (path === argument && argument !== '-') {
    throw invalid('with --ndjson the messages come from - or @file, each on a line of its own');
  }
  const { stream, failure } = openInput(path, io);
  let number = 0;
  try {
    for await (const bytes of splitLines(stream, PAYLOAD_BYTES_MAX)) {
      number++;
      if (bytes === undefined)
        throw invalid(`line ${number} is longer than ${PAYLOAD_BYTES_MAX} bytes`);
      const text = decode(bytes, `line ${number}`);
      if (text.trim() !== '') yield { number, value: parseJson(text, `line ${number}`) };
    }
  } catch (thrown) {
    throw failure(thrown);
  }
}

/** Where input comes from. */
interface Input {
  readonly name: string;
  readonly stream: Readable;
  /** The error for what reading it threw: CANCELLED if the command is to end, INVALID_ARGUMENT. */
  failure(thrown: unknown): unknown;
}

function openInput(path: string, { stdin, signal }: Io): Input {
  const name = path === '-' ? 'standard input' : path;
  const stream = addAbortSignal(signal, path === '-' ? stdin : createReadStream(path));
  return {
    name,
    stream,
    failure(thrown) {
      if (signal.aborted) return new DeltabaseError('CANCELLED', 'interrupted', { cause: thrown });
      if (thrown instanceof DeltabaseError || !isSystemError(thrown)) return thrown;
      return invalid(`cannot read ${name}: ${thrown.message}`, thrown);
    },
  };
}

function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && 'code' in thrown;
}

async function readAll(
  { name, stream, failure }: Input,
  { bytesMax, what }: { readonly bytesMax: number; readonly what: string },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > bytesMax)
        throw invalid(`${name} has more than ${bytesMax} bytes: ${what} has less`);
    }
  } catch (thrown) {
    throw failure(thrown);
  }
  return Buffer.concat(chunks);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array, where: string): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw invalid(`${where} is not UTF-8`, cause);
  }
}

/** Strict, as nodes are: JSON.parse would keep one of two members of a name, and make null of a large number. */
function parseJson(text: string, where: string): Json {
  try {
    parseValue(text, { depthMax: PAYLOAD_DEPTH_MAX });
    return JSON.parse(text);
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    const { cause = thrown, message } = thrown;
    if (thrown.details['problem'] !== 'syntax') throw invalid(`${where}: ${message}`, thrown);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`${where} is not JSON (${reason}): quote strings, as in '"text"'`, cause);
  }
}

function invalid(message: string, cause?: unknown): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message, { cause });
}
