import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, type DocumentHeat } from '@deltabase/client';
import { hotText } from '../../src/commands/hot.js';
import { exampleModule, startCluster } from '../support/cluster.js';
import { COLORED, PLAIN } from '../support/samples.js';

function heat(key: string, more: Partial<DocumentHeat> = {}): DocumentHeat {
  const rates = { readsPerSecond: 0, deliveriesPerSecond: 0, bytesPerSecond: 0 };
  const none = { leader: 0, heat: 0, heatError: 0, copiesWanted: 0 };
  const copies = { copies: [], copiesHeat: 0 };
  return { space: 'counter', key, ...rates, ...none, ...copies, ...more };
}

test('hot documents are a table, in which those that are hot stand out', () => {
  const hot = {
    ...{ leader: 2, readsPerSecond: 1234.5, deliveriesPerSecond: 9.94, bytesPerSecond: 5000 },
    ...{ heat: 1235.5, copiesWanted: 2, copies: ['r:1'], copiesHeat: 77 },
  };
  const report = { documents: [heat('visits', hot), heat('bad\u001b[31m')], failed: [] };
  assert.equal(
    hotText({ paint: PLAIN }, report),
    [
      'DOCUMENT               LEADER  READS/s  DELIVERIES/s  BYTES/s   HEAT  AT COPIES  HOT  COPIES',
      'counter/visits              2    1,235           9.9  4.9 KiB  1,236         77  hot     1/2',
      'counter/bad\\u001b[31m       -      0.0           0.0      0 B    0.0        0.0  -         -',
      '',
    ].join('\n'),
  );
  const [, first, second] = hotText({ paint: COLORED }, report).split('\n');
  assert.ok(first!.includes('\u001b[33m') && !second!.includes('\u001b['));
});

test('nodes that were not counted are named', () => {
  const error = new DeltabaseError('UNAVAILABLE', 'down');
  const failed = [
    { node: 2, address: 'n2:1', kind: 'failed' as const, error },
    { node: 0, address: 'n3:1', kind: 'failed' as const, error },
  ];
  const text = hotText({ paint: PLAIN }, { documents: [], failed });
  assert.match(
    text,
    /^not counted: node 2 \(n2:1\) does not answer \(UNAVAILABLE\)\nnot counted: n3/,
  );
});

test('what readers get of all nodes is shown, again and again if wanted', async () => {
  const cluster = await startCluster({ flags: { limits: 'heatHalfLifeMs=1000000' } });
  const { cli } = cluster;
  try {
    await cli.text('deploy', 'counter', exampleModule('counter'));
    for (const key of ['a', 'b']) await cli.text('send', 'counter', key, 'add');
    for (const key of ['a', 'b', 'b']) await cli.text('get', 'counter', key);
    const [{ documents, failed }] = await cli.json('hot');
    assert.deepEqual(failed, []);
    assert.deepEqual(
      documents.map(({ key }: DocumentHeat) => key),
      ['b', 'a'],
    );
    assert.ok(Math.abs(documents[0].readsPerSecond / documents[1].readsPerSecond - 2) < 0.1);
    assert.equal((await cli.json('hot', '--limit', '1'))[0].documents.length, 1);
    const watching = cli.start('hot', '--watch', '0.01', '--json');
    await watching.until(() => watching.lines.length > 2);
    watching.kill('SIGINT');
    assert.equal((await watching.ended()).code, 130);
    const { code, stderr } = await cli.run('hot', '--node', '9');
    assert.equal(code, 3);
    assert.match(stderr, /there is no node 9: there are 1, 2, 3/);
  } finally {
    await cluster.stop();
  }
});
