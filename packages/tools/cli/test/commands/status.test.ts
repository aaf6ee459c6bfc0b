import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeReport, NodeStatus } from '@deltabase/client';
import pc from 'picocolors';
import { statusText } from '../../src/commands/status.js';

const CONTEXT = { paint: pc.createColors(false) };

function report(node: number, changes: Partial<NodeStatus> = {}): NodeReport {
  const progress = [1, 2, 3].map((id) => ({ node: id, damaged: id === 3 }));
  const group = { group: 0, role: node === 1 ? 'leader' : 'follower', appliedIndex: 9, term: 2 };
  const groups = [{ ...group, progress: node === 1 ? progress : [], damaged: false }];
  const base = { cluster: 'c', node, version: '1', uptimeMs: 1, replicas: [], groups };
  const status = { ...base, ...changes };
  return { kind: 'status', node, address: `n${node}`, status: status as unknown as NodeStatus };
}

test('the status names a copy that its leader knows to be damaged', () => {
  const text = statusText(CONTEXT, [report(1), report(2), report(3)]);
  assert.match(text, /1:9 2:9 3:9\(damaged\)/);
});

test('the status counts the groups that sleep on a node', () => {
  const counters = { groupsAsleep: 1234 } as unknown as NodeStatus['counters'];
  const [, , head, row] = statusText(CONTEXT, [report(1, { counters })]).split('\n');
  const words = (line: string | undefined): string[] => line!.trim().split(/ +/);
  assert.equal(words(row)[words(head).indexOf('ASLEEP')], '1234');
});

test('the status says what keeps a node from serving', () => {
  const text = statusText(CONTEXT, [
    report(1, { draining: true }),
    report(2, { diskStalled: true }),
    report(3, { diskLow: true }),
  ]);
  for (const state of ['draining', 'disk hangs', 'disk low'])
    assert.ok(text.includes(state), state);
});

test('the status tells of replicas, and for whom each keeps how many documents', () => {
  const replica = (name: string, copies: number) => ({ name, address: `${name}:1`, copies });
  const text = statusText(CONTEXT, [
    report(1, { replicas: [replica('b', 2)] }),
    report(2, { replicas: [replica('b', 0), replica('a', 1)] }),
  ]);
  assert.match(text, /REPLICA +ADDRESS +KEEPS/);
  assert.match(text, /\n *a +a:1 +2:1\n *b +b:1 +1:2 2:0\n/);
  assert.doesNotMatch(statusText(CONTEXT, [report(1)]), /REPLICA/);
});
