// Real editing histories as github.com/josephg/editing-traces has them; positions count Unicode code points.

import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

/** One keystroke or paste: at a position so much is deleted, then a text inserted. */
export type Patch = readonly [position: number, deleted: number, inserted: string];

/** What is replayed, and what must come of it. */
export interface EditingTrace {
  readonly patches: readonly Patch[];
  readonly endContent: string;
}

interface TraceFile {
  readonly startContent: string;
  readonly endContent: string;
  readonly txns: readonly { readonly patches: readonly Patch[] }[];
}

/** The history in a file, or its first `limit` patches; the text after those is then computed here. */
export async function readTrace(file: string, limit = Infinity): Promise<EditingTrace> {
  const trace = JSON.parse(gunzipSync(await readFile(file)).toString('utf8')) as TraceFile;
  const all = patchesOf(trace);
  if (all.length <= limit) return { patches: all, endContent: trace.endContent };
  const patches = all.slice(0, limit);
  return { patches, endContent: applyPatches(patches) };
}

function patchesOf({ startContent, txns }: TraceFile): Patch[] {
  const start: Patch[] = startContent === '' ? [] : [[0, 0, startContent]];
  return [...start, ...txns.flatMap(({ patches }) => patches)];
}

function applyPatches(patches: readonly Patch[]): string {
  let text: string[] = [];
  for (const [at, deleted, inserted] of patches) {
    text = [...text.slice(0, at), ...inserted, ...text.slice(at + deleted)];
  }
  return text.join('');
}
