import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from 'raft-ts';
import { DamageWatch } from '../../src/groups/damage-watch.js';
import type { LogFields } from '../../src/ports.js';
import { SILENT } from '../support/log.js';

test('each damaged copy is named once, and once more when it is damaged again', () => {
  const named: LogFields[] = [];
  const log = {
    ...SILENT,
    error: (_event: string, fields: LogFields = {}) => void named.push(fields),
  };
  let own = 0;
  const watch = new DamageWatch(7, { log, copyDamaged: () => void own++ });
  const look = (isOwn: boolean, ...others: number[]): void => {
    const progress = [1, 2, 3].map((id) => ({ id, damaged: others.includes(id) }));
    watch.look({ id: 1, damaged: isOwn, progress } as unknown as Status);
  };
  look(false);
  look(false, 2);
  look(false, 2);
  look(true, 2);
  look(false);
  look(false, 2);
  assert.deepEqual(
    named.map(({ group, damagedNode }) => [group, damagedNode]),
    [
      [7, 2],
      [7, 1],
      [7, 2],
    ],
  );
  assert.equal(own, 1, 'of its own copy the node is told');
});
