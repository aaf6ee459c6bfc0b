// The rule by which a state of this machine is a text (README.md).

import type { Json } from '@deltabase/delta';

/** A state: lengths of groups in code points, and their chunks. */
export interface TextState {
  readonly lengths: Readonly<Record<string, number>>;
  readonly text: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The text that `state` is; a document without messages (null) is empty. */
export function readText(state: Json): string {
  if (state === null) return '';
  const { text } = state as unknown as TextState;
  // Sorted, because JavaScript puts names that look like numbers before all others.
  return Object.keys(text)
    .sort()
    .flatMap((group) => {
      const chunks = text[group]!;
      return Object.keys(chunks)
        .sort()
        .map((chunk) => chunks[chunk]!);
    })
    .join('');
}
