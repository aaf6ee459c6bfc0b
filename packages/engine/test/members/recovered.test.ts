// The members document through a recovery.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { Draft, fromJson, type Json, toJson, type Value } from '@deltabase/delta';
import { runMembersMachine } from '../../src/members/members-machine.js';
import { readMembers } from '../../src/members/members-state.js';
import type { Call } from '../../src/ports.js';
import { sampleMember } from '../support/samples.js';

const RECOVERY = { formerId: 'a', node: 1, takenFrom: [5], givenUp: [3, 7], timeMs: 9 };
const ADDED = { node: 9, peer: 'p:9', client: 'c:9', promote: true };

class MembersDocument {
  root: Value = null;

  /** Sends a message to a node that knows the cluster under this id; returns what it is refused for. */
  send(clusterId: string, channel: string, payload: Json): string | undefined {
    const view = { isReachable: () => true, lagOf: () => 0, groups: 2, membersMax: 9, clusterId };
    const draft = new Draft(this.root, DEFAULT_LIMITS);
    const call = { channel, payload: fromJson(payload), time: 5, principal: '$node' } as Call;
    const outcome = runMembersMachine(call, draft, view);
    if (outcome.kind === 'failed') return outcome.message;
    this.root = draft.root;
    return undefined;
  }

  found(id: string, before: string | null, recovery: Json = null): void {
    const members = [1, 2, 3].slice(0, recovery === null ? 3 : 1).map((node) => {
      const { peerAddress: peer, clientAddress: client } = sampleMember(node);
      return { node, peer, client };
    });
    assert.equal(this.send(id, 'found', { id, before, recovery, members }), undefined);
  }
}

test('until the cluster has begun anew nothing is changed in what it was', () => {
  const document = new MembersDocument();
  document.found('a', null);
  assert.match(document.send('b', 'add', ADDED)!, /does not know its members yet: ask again/);
  document.found('b', 'a', RECOVERY);
  assert.equal(document.send('b', 'add', ADDED), undefined);
  // Its first moments are no recovery: the id is on no disk yet.
  const fresh = new MembersDocument();
  fresh.found('a', null);
  assert.equal(fresh.send('', 'add', ADDED), undefined);
});

test('no id of before is used again, though the document had not heard of it', () => {
  for (const hadDocument of [true, false]) {
    const document = new MembersDocument();
    if (hadDocument) document.found('a', null);
    document.found('b', hadDocument ? 'a' : null, RECOVERY);
    const state = readMembers(document.root)!;
    assert.deepEqual([state.id, state.last, state.recoveries], ['b', 7, [RECOVERY]]);
    assert.match(document.send('b', 'add', { ...ADDED, node: 7 })!, /those up to 7 have been/);
  }
});

test('the last sixteen recoveries are remembered', () => {
  const document = new MembersDocument();
  document.found('id-0', null);
  for (let n = 1; n <= 20; n++) {
    const before = `id-${n - 1}`;
    document.found(`id-${n}`, before, { ...RECOVERY, formerId: before });
  }
  const { recoveries } = readMembers(document.root)!;
  assert.deepEqual(
    recoveries.map(({ formerId }) => formerId),
    Array.from({ length: 16 }, (_, at) => `id-${at + 4}`),
  );
});

test('a recovery is begun once, and a document without any has no word of them', () => {
  const document = new MembersDocument();
  document.found('a', null);
  assert.ok(!('recoveries' in (toJson(document.root) as object)));
  document.found('b', 'a', RECOVERY);
  document.found('b', 'a', RECOVERY);
  assert.equal(readMembers(document.root)!.recoveries.length, 1);
});
