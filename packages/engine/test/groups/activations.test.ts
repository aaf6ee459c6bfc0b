import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCommand } from '@deltabase/machine';
import { Activations } from '../../src/groups/activations.js';

function setUp() {
  const applied = new Map<string, number>();
  const proposed: string[] = [];
  const room = { is: true };
  const node = {
    canPropose: () => room.is,
    propose: (data: Uint8Array) => {
      const command = decodeCommand(data);
      assert.ok(command.kind === 'activate');
      proposed.push(`${command.space}@${command.version}`);
    },
  };
  const activations = new Activations(node, (space) => applied.get(space));
  return { activations, applied, proposed, room };
}

test('the newer version of a space is proposed once, and counts from then on', () => {
  const { activations, applied, proposed } = setUp();
  applied.set('b', 5);
  const latest = [
    { space: 'a', version: 1 },
    { space: 'b', version: 5 },
  ];
  assert.ok(activations.propose(latest));
  assert.ok(!activations.propose(latest));
  assert.ok(!activations.propose([...latest]));
  assert.deepEqual(proposed, ['a@1']);
  assert.equal(activations.activeVersion('a'), 1);
  assert.equal(activations.activeVersion('b'), 5);
  assert.equal(activations.activeVersion('c'), undefined);
});

test('what was proposed under a lost leadership is proposed again', () => {
  const { activations, proposed } = setUp();
  const latest = [{ space: 'a', version: 1 }];
  activations.propose(latest);
  activations.leadershipChanged();
  assert.equal(activations.activeVersion('a'), undefined);
  assert.ok(activations.propose(latest));
  assert.deepEqual(proposed, ['a@1', 'a@1']);
});

test('what the log has no room for is proposed later', () => {
  const { activations, proposed, room } = setUp();
  const latest = [{ space: 'a', version: 1 }];
  room.is = false;
  assert.ok(!activations.propose(latest));
  room.is = true;
  assert.ok(activations.propose(latest));
  assert.deepEqual(proposed, ['a@1']);
});
