// No more is on its way than the follower has room for, and the process learns when there is room again.

import assert from 'node:assert/strict';
import { bytes, deltaOf, recordAt } from './records.js';
import { type Scenario, watched } from './scenario.js';
import { CREDIT_BYTES } from './under-test.js';

export function testRoom(scenario: Scenario): void {
  scenario(
    'no more is on its way than the follower has room for, and all of it comes',
    async (bench) => {
      const { under, follower } = bench;
      const watch = await watched(bench);
      const { sink } = watch;
      let seq = 0;
      for (let round = 0; round < 10; round++) {
        let given = 0;
        for (; sink.ready; given += 4000) {
          sink.delta(deltaOf(recordAt(++seq, { patch: bytes(4000, 1) })));
        }
        sink.flush();
        assert.ok(given <= CREDIT_BYTES + 8000, `${given} bytes at once`);
        const { resumes } = watch;
        await under.until(() => watch.resumes > resumes);
      }
      await under.until(() => follower.deltas.length === seq);
      assert.ok(seq * 4000 > 2 * CREDIT_BYTES, `only ${seq} deltas`);
      assert.deepEqual(
        follower.deltas.map((delta) => delta.seq),
        Array.from({ length: seq }, (_, at) => at + 1),
      );
    },
  );

  scenario('who waits until everything has left is told when it has', async (bench) => {
    const { under } = bench;
    const watch = await watched(bench);
    const { sink } = watch;
    await under.until(() => sink.idle);
    const { resumes } = watch;
    // So much leaves at once, with nothing else.
    sink.delta(deltaOf(recordAt(1, { patch: bytes(300_000, 1) })));
    assert.equal(sink.idle, false);
    sink.flush();
    await under.until(() => watch.resumes > resumes);
    assert.ok(sink.idle);
  });
}
