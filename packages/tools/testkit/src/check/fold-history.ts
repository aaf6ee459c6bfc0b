// A document made from its history alone, page by page, as anyone can who is given the deltas.

import assert from 'node:assert/strict';
import { applyPatch, hashText, parsePatch, type Value, type Version } from '@deltabase/delta';
import type { Engine, Failure, HistoryPage } from '@deltabase/engine';

/** Reads all deltas of a document and folds them; each result is held against the delta's hash. */
export function foldHistory(
  engine: Engine,
  space: string,
  key: string,
  until: (is: () => boolean) => void,
): Version {
  let root: Value = null;
  for (let seq = 0; ; ) {
    let page: HistoryPage | Failure | undefined;
    engine.history({ space, key, fromSeq: seq + 1 }, (answer) => {
      page = answer;
    });
    until(() => page !== undefined);
    assert.ok(page!.kind === 'page', JSON.stringify(page));
    if (page!.deltas.length === 0) return { seq, root };
    for (const record of page!.deltas) {
      assert.equal(record.seq, seq + 1, `${key}: history has no gap (StateIsFold)`);
      root = applyPatch(root, parsePatch(record.patch, { depthMax: 1000 }));
      assert.equal(hashText(root), record.hash, `${key} at ${record.seq} (StateIsFold)`);
      seq = record.seq;
    }
  }
}
