// How a command ends: its exit code by the errors table, its error in words or, with --json, as JSON.

import { constants } from 'node:os';
import { DeltabaseError, ERRORS, toDeltabaseError } from '@deltabase/base';
import { jsonLine, printable } from './format/printable.js';
import { type Io, OutputClosed } from './io.js';

/** The exit code for what a command threw. */
export function exitCodeOf(thrown: unknown): number {
  return ERRORS[toDeltabaseError(thrown).code].exit;
}

/** Tells of what ended a command, if there is something to tell; returns the exit code. */
export function endOf(thrown: unknown, io: Io, isJson: boolean): number {
  if (thrown instanceof OutputClosed) return 0;
  const isCancelled = thrown instanceof DeltabaseError && thrown.code === 'CANCELLED';
  if (!isCancelled || !io.signal.aborted) {
    io.err(errorText(thrown, isJson));
    return exitCodeOf(thrown);
  }
  // Whoever stopped it knows; but not what became of a message.
  if ('outcomeUnknown' in thrown.details) io.err(errorText(thrown, isJson));
  return 128 + constants.signals[io.signal.reason as NodeJS.Signals];
}

/** What is told of it on standard error; `where`: what it happened to. A defect comes with its stack. */
export function errorText(thrown: unknown, isJson: boolean, where = ''): string {
  const error = toDeltabaseError(thrown);
  if (isJson) return jsonLine({ error: errorJson(error) });
  const text = `deltabase: ${where}${printable(error.message)} (${error.code})\n`;
  if (thrown instanceof DeltabaseError || !(thrown instanceof Error)) return text;
  return `${text}${thrown.stack}\n`;
}

/** An error for programs. */
export function errorJson({ code, message, details }: DeltabaseError): object {
  return { code, message, details };
}
