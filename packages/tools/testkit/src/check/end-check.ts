// What must hold once a cluster is healed: every message answered, all copies equal and the fold of the same deltas,
// all that was accepted in them once and nothing else, watchers at the end, nothing that waits.

import assert from 'node:assert/strict';
import { hashText, toJson } from '@deltabase/delta';
import type { GroupPosition, NodeId, ReadResult, ReadValue } from '@deltabase/engine';
import type { TokenCluster } from '../cluster/token-cluster.js';
import { foldHistory } from './fold-history.js';
import { checkMembers } from './members-check.js';
import { checkCopies, checkReplicas } from './replica-check.js';

/** How long a healed cluster may take to answer everything, ms of virtual time. */
const SETTLE_MS = 300_000;
const LOOK_MS = 10;

/** Checks a cluster that is healed. */
export function checkEnd(tokens: TokenCluster): void {
  tokens.settle(SETTLE_MS);
  checkMembers(tokens);
  awaitEqualLogs(tokens);
  checkReplicas(tokens);
  for (const key of tokens.histories.keys()) checkList(tokens, key);
  for (const key of tokens.registers.keys()) checkRegister(tokens, key);
  // Whatever is asked for within a turn is answered in one of the next.
  tokens.run(1);
  for (const engine of tokens.cluster.engines()) {
    for (const group of engine.status().groups) {
      assert.equal(group.queued, 0, 'nothing waits any more');
    }
  }
  awaitNoTransfer(tokens);
}

/** All nodes have applied the same log to its end. */
function awaitEqualLogs(tokens: TokenCluster): void {
  const { simulation } = tokens.cluster;
  simulation.pollUntil(() => {
    const [first, ...others] = tokens.cluster.engines().map((engine) => engine.positions());
    return first!.every(({ applied, lastIndex }, group) => {
      const places = others.map((positions) => positions[group]!);
      return (
        applied === lastIndex &&
        places.every((place) => place.applied === applied && place.lastIndex === applied)
      );
    });
  }, LOOK_MS);
}

/** No leadership is on its way for ever (docs/raft.md, pitfall 11). */
function awaitNoTransfer({ cluster }: TokenCluster): void {
  cluster.simulation.pollUntil(
    () => cluster.engines().every((engine) => engine.positions().every(isNoTransfer)),
    LOOK_MS,
  );
}

function isNoTransfer({ leadTransferee }: GroupPosition): boolean {
  return leadTransferee === 0;
}

function checkList(tokens: TokenCluster, key: string): void {
  const history = tokens.historyOf(key);
  const copy = equalCopies(tokens, key);
  const elements = copy === undefined ? [] : (jsonOf(copy) as unknown[]);
  history.copy(elements, copy?.hash);
  history.end(elements);
  history.log.call({ kind: 'read' }).answered(history.list(elements));
  history.checkLinearizable();
  if (copy === undefined) return;
  for (const id of tokens.living) checkFold(tokens, { id, key, copy });
  const watches = tokens.watches.filter((watch) => watch.key === key);
  tokens.until(() => watches.every(({ seq }) => seq === copy.seq));
  for (const watch of watches) watch.end(elements);
  checkCopies(tokens, key, copy);
}

function checkRegister(tokens: TokenCluster, key: string): void {
  const history = tokens.registerOf(key);
  const copy = equalCopies(tokens, key);
  const { version = 0, value } = (copy === undefined ? {} : jsonOf(copy)) as {
    readonly version?: number;
    readonly value?: string;
  };
  assert.equal(version, copy?.seq ?? 0, `${key}: each version is a delta`);
  history.log.call({ kind: 'get' }).answered({ kind: 'got', version, value });
  history.checkLinearizable();
  if (copy !== undefined) checkFold(tokens, { id: tokens.living[0]!, key, copy });
}

/** The document as every node has it; `undefined`: none has it. */
function equalCopies(tokens: TokenCluster, key: string): ReadValue | undefined {
  const read = (id: NodeId): ReadResult => tokens.read(id, key, { mode: { kind: 'stale' } });
  const [first, ...others] = tokens.living.map(read);
  if (first!.kind === 'failed') {
    for (const copy of others) assert.equal(copy.kind, 'failed', `${key}: equal on all nodes`);
    return undefined;
  }
  for (const copy of others) {
    assert.ok(copy.kind === 'value' && copy.hash === first!.hash, `${key}: equal on all nodes`);
    assert.equal(copy.seq, first!.seq, `${key}: the same seq on all nodes`);
  }
  return first;
}

/** The deltas of all of a document's history fold to what it is (StateIsFold). */
function checkFold(
  tokens: TokenCluster,
  { id, key, copy }: { readonly id: NodeId; readonly key: string; readonly copy: ReadValue },
): void {
  const engine = tokens.cluster.engine(id);
  const fold = foldHistory(engine, tokens.space, key, (is) => tokens.until(is));
  assert.equal(fold.seq, copy.seq, `${key}: history is whole on node ${id}`);
  assert.equal(hashText(fold.root), copy.hash, `${key}: it folds to the state (StateIsFold)`);
  assert.deepEqual(toJson(fold.root), jsonOf(copy));
}

function jsonOf({ value }: ReadValue): unknown {
  return JSON.parse(new TextDecoder().decode(value));
}
