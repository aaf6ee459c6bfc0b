// How a command ends: its exit code by the errors table, its error in words or, with --json, as JSON.

import { DeltabaseError, ERRORS, toDeltabaseError } from '@deltabase/base';

/** Ended by SIGINT, as shells count. */
export const INTERRUPTED = 130;

/** The exit code for what a command threw. */
export function exitCodeOf(thrown: unknown): number {
  return ERRORS[toDeltabaseError(thrown).code].exit;
}

/** What is told of it on standard error. A defect comes with its stack. */
export function errorText(thrown: unknown, isJson: boolean): string {
  const error = toDeltabaseError(thrown);
  const { code, message, details } = error;
  if (isJson) return `${JSON.stringify({ error: { code, message, details } })}\n`;
  if (thrown instanceof DeltabaseError) return `deltabase: ${message} (${code})\n`;
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return `deltabase: ${message} (${code})\n${stack ?? ''}\n`;
}
