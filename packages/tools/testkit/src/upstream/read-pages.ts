// Reads deltas of a document's history page by page, as a follower does with the pages that the other end lists.

import type { DeltasRange, Failure, TailDelta } from '@deltabase/engine';
import type { DeltaRecord } from '@deltabase/machine';
import { deltaOf } from './copy-delta.js';

/** Asks for a page of a history, none behind its end. */
export type PageReader = (
  fromSeq: number,
  answer: (page: readonly DeltaRecord[] | Failure) => void,
) => void;

/** About as many deltas as are wanted, one at least, or all there are. */
export function readPages(
  read: PageReader,
  { fromSeq, bytesMax }: DeltasRange,
  done: (deltas: readonly TailDelta[] | Failure) => void,
): void {
  const deltas: TailDelta[] = [];
  let bytes = 0;
  const next = (): void =>
    read(fromSeq + deltas.length, (page) => {
      if ('code' in page) {
        done(page);
        return;
      }
      for (const record of page) {
        const delta = deltaOf(record);
        deltas.push(delta);
        bytes += delta.bytes.length;
      }
      if (page.length === 0 || bytes >= bytesMax) done(deltas);
      else next();
    });
  next();
}
