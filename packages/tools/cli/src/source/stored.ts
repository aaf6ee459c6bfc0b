// Logs and histories in the data directory of a node that does not run.

import { DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import type { LogEntry } from '@deltabase/client';
import { inspectHistory, inspectLog, inspectNode } from '@deltabase/engine';
import { checkDocumentKey, checkSpaceName, SYSTEM_SPACE } from '@deltabase/machine';
import { deltaOfRecord } from '../format/deltas.js';
import type { NodeLogs } from '../format/log.js';
import { type OfflineData, withOfflineData } from '../offline/open-data.js';
import type { DeltaRange, EntryRange, Source, StoredDelta } from './source.js';

/** Opens the data in `dataDir` for `use`; throws what `withOfflineData` throws. */
export function withStoredSource<T>(
  dataDir: string,
  signal: AbortSignal,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  return withOfflineData(dataDir, { signal }, (data) => use(new StoredSource(dataDir, data)));
}

class StoredSource implements Source {
  readonly #dataDir: string;
  readonly #data: OfflineData;

  constructor(dataDir: string, data: OfflineData) {
    this.#dataDir = dataDir;
    this.#data = data;
  }

  async logs(): Promise<NodeLogs> {
    const { cluster, node, recovery, stored } = await this.#data.run(inspectNode);
    return {
      cluster,
      node,
      recoveries: recovery === undefined ? [] : [recovery],
      groups: stored.map(({ group, hardState, firstIndex, lastIndex, flushedIndex }) => ({
        group,
        term: hardState.term,
        leader: undefined,
        firstIndex,
        lastIndex,
        commitIndex: Math.max(hardState.commit, flushedIndex),
        flushedIndex,
      })),
    };
  }

  async *entries({ group, from, limit }: EntryRange): AsyncIterable<LogEntry> {
    let next = from;
    for (let left = limit; left > 0; ) {
      const page = await this.#data.run((disk) => inspectLog(disk, group, next));
      if (page.length === 0) return;
      yield* page.slice(0, left);
      left -= page.length;
      next = page.at(-1)!.index + 1;
    }
  }

  async *deltas({ space, key, from, limit }: DeltaRange): AsyncIterable<StoredDelta> {
    if (space !== SYSTEM_SPACE) checkSpaceName(space, DEFAULT_LIMITS);
    checkDocumentKey(key, DEFAULT_LIMITS);
    const pageFrom = (fromSeq: number) =>
      this.#data.run((disk) => inspectHistory(disk, { space, key, fromSeq }));
    let next = from;
    for (let left = limit; left > 0; ) {
      const page = await pageFrom(next);
      if (page.length === 0) break;
      for (const { record, committed } of page.slice(0, left)) {
        yield { ...deltaOfRecord(record), committed };
      }
      left -= page.length;
      next = page.at(-1)!.record.seq + 1;
    }
    if (next > from || (from > 1 && (await pageFrom(1)).length > 0)) return;
    const why = `${space}/${key} has no history in ${this.#dataDir}`;
    throw new DeltabaseError('DOCUMENT_NOT_FOUND', why);
  }
}
