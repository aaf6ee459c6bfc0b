// Of what is watched: what is asked for comes to the process in its order, and states and deltas come to the follower whole and
// in theirs.

import assert from 'node:assert/strict';
import { failure, recordOf } from '@deltabase/engine';
import { bytes, deltaOf, docOf, recordAt, toldOf } from './records.js';
import { type Scenario, watched } from './scenario.js';

export function testWatches(scenario: Scenario): void {
  scenario(
    'where things come from is told first, and on change',
    async ({ under, served, follower }) => {
      served.tellOrigin({ via: ['r7', 'r8'], live: false });
      served.tellOrigin({ via: [], live: true });
      await under.until(() => follower.told.at(-1) === 'origin  true');
    },
  );

  scenario(
    'a watch is asked for as it is, with its state or behind a seq',
    async ({ under, served, follower }) => {
      follower.call((upstream) => {
        upstream.watch(1, docOf('a/b c'), undefined);
        upstream.watch(2, docOf('k'), 0);
        upstream.unwatch(1);
        upstream.watch(3, { space: 'other', key: 'ü' }, 2 ** 40);
      });
      await under.until(() => served.watches.length === 3);
      const requests = served.watches.map(({ request: { space, key, afterSeq, policy } }) => {
        assert.ok(policy === undefined || policy.kind === 'every');
        return [space, key, afterSeq];
      });
      assert.deepEqual(requests, [
        ['log', 'a/b c', undefined],
        ['log', 'k', 0],
        ['other', 'ü', 2 ** 40],
      ]);
    },
  );

  scenario('what is asked for takes effect in its order', async ({ under, served, follower }) => {
    follower.call((upstream) => {
      upstream.watch(1, docOf('a'), undefined);
      upstream.watch(2, docOf('b'), undefined);
      upstream.unwatch(1);
      upstream.watch(3, docOf('c'), undefined);
      upstream.unwatch(3);
      upstream.watch(4, docOf('d'), undefined);
    });
    await under.until(() => served.events.length === 6);
    assert.deepEqual(served.events, [
      'watch a',
      'watch b',
      'cancel a',
      'watch c',
      'cancel c',
      'watch d',
    ]);
    assert.deepEqual(follower.told, []);
  });

  scenario('states and deltas come whole and in their order', async (bench) => {
    const { under, follower } = bench;
    const { sink } = await watched(bench);
    const large = bytes(200_000, 7);
    sink.state(5, bytes(10, 1), undefined);
    sink.state(5, large, undefined);
    sink.state(5, bytes(0, 1), 'abc');
    for (let seq = 6; seq <= 8; seq++) sink.delta(deltaOf(recordAt(seq)));
    sink.flush();
    await under.until(() => follower.deltas.length === 3);
    assert.deepEqual(follower.told, [
      'state 1 5 10 undefined',
      'state 1 5 200000 undefined',
      'state 1 5 0 abc',
      ...['delta 1 6', 'delta 1 7', 'delta 1 8'],
    ]);
    assert.deepEqual(Buffer.from(follower.pieces[1]!), Buffer.from(large));
  });

  scenario('of a delta comes what watchers are told', async (bench) => {
    const { under, follower } = bench;
    const { sink } = await watched(bench);
    const sent = recordAt(9, { patch: bytes(70_000, 5) });
    sink.delta(deltaOf(sent));
    await under.until(() => follower.deltas.length === 1);
    assert.deepEqual(toldOf(recordOf(follower.deltas[0]!)), toldOf(sent));
    assert.ok(follower.deltas[0]!.bytes.length >= 70_000);
  });

  scenario('watches do not get into each other', async ({ under, served, follower }) => {
    follower.call((upstream) => {
      upstream.watch(7, docOf('a'), 0);
      upstream.watch(9, docOf('b'), 0);
    });
    await under.until(() => served.watches.length === 2);
    const [a, b] = served.watches;
    for (let seq = 1; seq <= 3; seq++) {
      a!.sink.delta(deltaOf(recordAt(seq)));
      b!.sink.delta(deltaOf(recordAt(seq)));
    }
    await under.until(() => follower.told.length === 6);
    assert.deepEqual(
      follower.told.filter((it) => it.startsWith('delta 7')),
      ['delta 7 1', 'delta 7 2', 'delta 7 3'],
    );
    assert.deepEqual(
      follower.told.filter((it) => it.startsWith('delta 9')),
      ['delta 9 1', 'delta 9 2', 'delta 9 3'],
    );
  });

  scenario('a watch that ends is told with why, behind what it gave', async (bench) => {
    const { under, follower } = bench;
    const { sink } = await watched(bench);
    sink.delta(deltaOf(recordAt(1)));
    sink.end(failure('HISTORY_GONE', 'it begins at 5'));
    await under.until(() => follower.told.length === 2);
    assert.deepEqual(follower.told, ['delta 1 1', 'ended 1 HISTORY_GONE']);
    assert.match(follower.failures[0]!.message, /it begins at 5/);
  });

  scenario(
    'a watch that is not wanted any more is cancelled, and others go on',
    async ({ under, served, follower }) => {
      follower.call((upstream) => {
        upstream.watch(1, docOf('a'), 0);
        upstream.watch(2, docOf('b'), 0);
        upstream.unwatch(1);
      });
      await under.until(() => served.events.length === 3);
      assert.deepEqual(served.events, ['watch a', 'watch b', 'cancel a']);
      served.watches[1]!.sink.delta(deltaOf(recordAt(1)));
      await under.until(() => follower.told.length === 1);
      assert.deepEqual(follower.told, ['delta 2 1']);
    },
  );
}
