// What a replica looks at before it runs on what its host has stored: a store that contradicts itself has
// lost something, and whoever runs on it may vote twice or replace what is committed (pitfall 6).

import { checkConfState } from './changer.js';
import type { FullConfig } from './config.js';
import { isRaftError, RaftError } from './errors.js';
import type { ConfState, HardState } from './types.js';

/** Throws RaftError StorageInvalid unless a replica can go on from the storage of `config`. */
export function checkStorage(config: FullConfig): void {
  const { storage, applied } = config;
  const { hardState, confState } = storage.initialState();
  const compacted = storage.firstIndex() - 1;
  const last = storage.lastIndex();
  if (last < compacted)
    throw invalid(`the log ends at ${last}, before it begins behind ${compacted}`);
  if (applied !== 0 && applied < compacted) {
    throw invalid(`the entries from ${applied + 1} to ${compacted} are gone and were not applied`);
  }
  if (applied > last) throw invalid(`${applied} was applied and the log ends at ${last}`);
  checkHardState(hardState, { index: last, term: storage.term(last) });
  checkConf(confState);
}

function checkHardState({ term, commit }: HardState, last: { index: number; term: number }): void {
  if (commit > last.index)
    throw invalid(`${commit} was committed and the log ends at ${last.index}`);
  // A replica writes the term before, or with, the entries of it.
  if (term < last.term)
    throw invalid(`the term is ${term} and the log has entries of ${last.term}`);
}

function checkConf(conf: ConfState): void {
  try {
    checkConfState(conf);
  } catch (thrown) {
    if (isRaftError(thrown, 'ConfChangeInvalid')) throw invalid(thrown.message);
    throw thrown;
  }
}

function invalid(message: string): RaftError {
  return new RaftError('StorageInvalid', message);
}
