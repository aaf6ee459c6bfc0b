// How connections end: by the follower, by the process, by what was asked for, or because nobody is there.

import assert from 'node:assert/strict';
import type { Failure } from '@deltabase/engine';
import { Follower } from './follower.js';
import { deltaOf, docOf, recordAt } from './records.js';
import { type Scenario, watched } from './scenario.js';

export function testEnds(scenario: Scenario): void {
  scenario(
    'a watch more than a stream may have has no room',
    async ({ under, served, follower }) => {
      follower.call((upstream) => {
        for (let id = 1; id <= 3; id++) upstream.watch(id, docOf(`k${id}`), 0);
      });
      await under.until(() => follower.told.length === 1);
      assert.deepEqual(follower.told, ['ended 3 OVERLOADED']);
      assert.deepEqual(served.events, ['watch k1', 'watch k2']);
    },
  );

  scenario('a follower that closes hears nothing more, and its watches end', async (bench) => {
    const { under, served, follower } = bench;
    const { sink } = await watched(bench);
    const answers = follower.readDeltas('k', 1, 100);
    follower.call((upstream) => upstream.close());
    sink.delta(deltaOf(recordAt(1)));
    await under.until(() => served.events.length === 2);
    assert.deepEqual(served.events, ['watch k', 'cancel k']);
    await under.until(() => served.listenerCount === 0);
    // What was being read is answered all the same: somebody waits for it.
    await under.until(() => answers.length === 1);
    assert.deepEqual(follower.told, []);
  });

  scenario('the end of the process is told once, and ends what is under way', async (bench) => {
    const { under, follower, address } = bench;
    await watched(bench);
    await under.stop(address);
    await under.until(() => follower.told.some((it) => it.startsWith('closed')));
    // Whoever follows may not have got round to it, and asks for more.
    const answers = follower.readDeltas('k', 1, 100);
    follower.call((upstream) => {
      upstream.unwatch(1);
      upstream.watch(2, docOf('k'), undefined);
      upstream.askHeads(1, [2], 3000);
    });
    await under.until(() => answers.length === 1);
    assert.equal((answers[0] as Failure).code, 'UNAVAILABLE');
    follower.call((upstream) => upstream.close());
    assert.equal(follower.told.at(-1), 'closed UNAVAILABLE');
    assert.equal(follower.told.filter((it) => it.startsWith('closed')).length, 1);
  });

  scenario('where nobody is nothing begins', async ({ under }) => {
    const lost = new Follower(under.upstreams, under.nowhere);
    lost.call((upstream) => upstream.watch(1, docOf('k'), undefined));
    await under.until(() => lost.told.length > 0);
    assert.deepEqual(lost.told, ['closed UNAVAILABLE']);
  });
}
