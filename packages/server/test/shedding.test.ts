import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorIn, type Loose } from './support/test-client.js';
import { withServer } from './support/test-server.js';

const DOCUMENT = { space: 'list', key: 'a' };
const READERS = 200;
const WAIT_MS = 60_000;

test('a node that readers overrun sheds watches and reads, takes messages, and serves all again after', {
  timeout: 2 * WAIT_MS,
}, async () => {
  // All readers are in this process too: every turn is waited for much longer than a millisecond.
  await withServer(['--limits', 'turnDelayMsMax=1'], async ({ client, server }) => {
    await client.send('list', 'a', 'push', 1);
    const counters = () => server.engine.status().counters;
    let isOver = false;
    const refusals = new Set<string>();
    const read = async (): Promise<void> => {
      while (!isOver) {
        try {
          await client.call('get', DOCUMENT);
        } catch (thrown) {
          refusals.add(errorIn(thrown as Loose).code);
        }
      }
    };
    const readers = Array.from({ length: READERS }, read);
    const endMs = performance.now() + WAIT_MS;
    while (counters().sheddingLevel < 3 || counters().readsShed === 0) {
      assert.ok(performance.now() < endMs, JSON.stringify(counters()));
      await client.send('list', 'a', 'push', 1);
    }
    const watch = client.watch(DOCUMENT);
    await new Promise((resolve) => watch.call.on('status', resolve));
    assert.equal(errorIn(watch.status!).code, 'OVERLOADED');
    assert.ok(Number(errorIn(watch.status!).details.retryAfterMs) > 0);
    assert.ok(counters().watchesShed > 0);
    isOver = true;
    await Promise.all(readers);
    assert.deepEqual([...refusals], ['OVERLOADED']);
    const laterMs = performance.now() + WAIT_MS;
    while (counters().sheddingLevel > 0) {
      assert.ok(performance.now() < laterMs, JSON.stringify(counters()));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await client.call('get', DOCUMENT);
  });
});
