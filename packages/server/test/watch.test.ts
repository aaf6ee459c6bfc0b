import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PieceBuilder, parsePiece, toJson } from '@deltabase/delta';
import { status } from '@grpc/grpc-js';
import {
  errorIn,
  json,
  type Loose,
  type Received,
  type TestClient,
} from './support/test-client.js';
import { withServer } from './support/test-server.js';
import { until } from './support/until.js';

const document = { space: 'list', key: 'a' };

function deltasOf(watch: Received): Loose[] {
  return watch.all('events').flatMap(({ delta }) => (delta ? [delta] : []));
}

/** Deltas, composed ones and states, as they came. */
function eventsOf(watch: Received): Loose[] {
  return watch.all('events').map(({ delta, composed, state }) => delta ?? composed ?? state);
}

function statesOf(watch: Received): Loose[] {
  return watch.all('events').flatMap(({ state }) => (state ? [state] : []));
}

async function push(client: TestClient, count: number, item: unknown = 'x'): Promise<void> {
  const stream = client.sendStream();
  const message = { ...document, channel: 'push', payload: json(item) };
  for (let at = 0; at < count; at += 100) {
    stream.write({ messages: Array(Math.min(100, count - at)).fill(message) });
  }
  stream.end();
  await until(() => stream.status !== undefined);
  assert.equal(stream.results.filter(({ error }) => error === null).length, count);
}

test('a watch gives the state, then every delta after it', async () => {
  await withServer([], async ({ client }) => {
    await push(client, 2, 'early');
    const watch = client.watch(document);
    await until(() => watch.responses.length > 0);
    await push(client, 3, 'late');
    await until(() => deltasOf(watch).length === 3);
    const [state] = statesOf(watch);
    assert.deepEqual([state.seq, state.last], [2, true]);
    assert.equal(String(state.piece), '["",{"items":["early","early"],"length":2}]');
    assert.deepEqual(
      deltasOf(watch).map(({ seq }) => seq),
      [3, 4, 5],
    );
    const read = await client.call('get', document);
    assert.equal(deltasOf(watch).at(-1).hash, read.hash);
    watch.call.cancel();
  });
});

test('a watch goes on behind a seq, without the state', async () => {
  await withServer([], async ({ client }) => {
    await push(client, 5);
    const watch = client.watch({ ...document, afterSeq: 3 });
    await until(() => deltasOf(watch).length === 2);
    await push(client, 1);
    await until(() => deltasOf(watch).length === 3);
    assert.deepEqual(
      watch.all('events').map(({ delta }) => delta.seq),
      [4, 5, 6],
    );
    const whole = client.watch({ ...document, afterSeq: 0 });
    await until(() => deltasOf(whole).length === 6);
    assert.equal(statesOf(whole).length, 0);
    for (const each of [watch, whole]) each.call.cancel();
  });
});

test('a large state comes in pieces that make it', async () => {
  await withServer(['--limits', 'pieceBytesMax=1000'], async ({ client }) => {
    await push(client, 200, 'y'.repeat(50));
    const watch = client.watch(document);
    await until(() => statesOf(watch).some(({ last }) => last));
    const states = statesOf(watch);
    assert(states.length > 5);
    assert(states.every(({ seq, last }, at) => seq === 200 && last === (at === states.length - 1)));
    const builder = new PieceBuilder();
    for (const { piece } of states) builder.add(parsePiece(piece));
    const { length, items } = toJson(builder.finish()) as { length: number; items: string[] };
    assert.deepEqual([length, items.length], [200, 200]);
    watch.call.cancel();
  });
});

test('the deltas of one turn leave in one response, for every watcher', async () => {
  await withServer([], async ({ client }) => {
    const watches = Array.from({ length: 5 }, () => client.watch({ ...document, afterSeq: 0 }));
    await push(client, 1);
    await until(() => watches.every((watch) => deltasOf(watch).length === 1));
    await push(client, 400);
    await until(() => watches.every((watch) => deltasOf(watch).length === 401));
    for (const watch of watches) {
      assert(watch.responses.length < 100, `${watch.responses.length} responses`);
      watch.call.cancel();
    }
  });
});

test('a slow watcher loses nothing and makes nobody else wait', async () => {
  const limits = 'watchQueueBytesMax=50000,flushBytesMax=100000,chunkBytesMax=10000';
  await withServer(['--limits', limits], async ({ client, server }) => {
    const slow = client.watch({ ...document, afterSeq: 0 });
    slow.call.pause();
    const quick = client.watch({ ...document, afterSeq: 0 });
    // Much more than the windows of HTTP/2 take.
    for (let count = 0; count < 40; count++) await push(client, 25, 'z'.repeat(1000));
    await until(() => deltasOf(quick).length === 1000);
    assert(deltasOf(slow).length < 500, 'it is held back');
    slow.call.resume();
    await until(() => deltasOf(slow).length === 1000);
    assert.deepEqual(
      deltasOf(slow).map(({ seq }) => seq),
      Array.from({ length: 1000 }, (_, at) => at + 1),
    );
    for (const each of [slow, quick]) each.call.cancel();
    await until(() => server.engine.status().counters.watches === 0);
  });
});

test('a watcher of the latest state that reads nothing gets one patch when it wakes, and holds one version', async () => {
  const limits = 'flushBytesMax=100000,chunkBytesMax=10000';
  await withServer(['--limits', limits], async ({ client, server }) => {
    await push(client, 1, 'early');
    const slow = client.watch({ ...document, policy: 'WATCH_POLICY_LATEST' });
    await until(() => slow.responses.length > 0);
    slow.call.pause();
    const versionsBytes = (): number =>
      server.engine.usage().find(({ limit }) => limit === 'watchVersionsBytesMax')!.used;
    // Much more than the windows of HTTP/2 take.
    let most = 0;
    for (let count = 0; count < 40; count++) {
      await push(client, 25, 'z'.repeat(1000));
      most = Math.max(most, versionsBytes());
    }
    assert(most > 0 && most < 1_100_000, `${most} bytes are held`);
    slow.call.resume();
    await until(() => eventsOf(slow).at(-1)!.seq === 1001);
    const events = eventsOf(slow);
    assert(events.length < 600, `${events.length} events`);
    let { seq } = events[0]!;
    for (const { fromSeq, seq: next } of events.slice(1)) {
      assert.equal(fromSeq ?? next - 1, seq, 'no gap and no repeat');
      seq = next;
    }
    const read = await client.call('get', document);
    assert.deepEqual([events.at(-1)!.hash, events.at(-1)!.seq], [read.hash, read.seq]);
    assert.equal(versionsBytes(), 0);
    slow.call.cancel();
  });
});

test('a watch of so many events a second gets no more, and ends with the newest state', async () => {
  await withServer([], async ({ client }) => {
    const policy = { policy: 'WATCH_POLICY_PER_SECOND', perSecond: 5 };
    const watch = client.watch({ ...document, afterSeq: 0, ...policy });
    const startMs = performance.now();
    for (let count = 0; count < 50; count++) await push(client, 10);
    await until(() => eventsOf(watch).at(-1)?.seq === 500);
    const seconds = (performance.now() - startMs) / 1000;
    assert(eventsOf(watch).length <= 2 + 5 * seconds, `${eventsOf(watch).length} in ${seconds} s`);
    watch.call.cancel();
  });
});

test('a watch through pointers gives the view, what changes it, and how far that is all', async () => {
  await withServer(['--limits', 'watchProgressMs=100'], async ({ client, server }) => {
    await push(client, 2, 'early');
    const pointers = ['/items/1', '/items/4'];
    const watch = client.watch({ ...document, pointers });
    const behind = client.watch({ ...document, pointers, afterSeq: 1 });
    await until(() => watch.responses.length > 0);
    await push(client, 1, 'hidden');
    await until(() => watch.all('events').some(({ progress }) => progress?.seq === 3));
    await push(client, 3, 'late');
    await until(() => watch.all('events').some(({ progress }) => progress?.seq === 6));
    await until(() => behind.all('events').some(({ progress }) => progress?.seq === 6));
    const [state] = statesOf(watch);
    assert.deepEqual([String(state.piece), state.seq], ['["",{"items":{"1":"early"}}]', 2]);
    const steps = (of: Received) => of.all('events').flatMap(({ composed }) => composed ?? []);
    const [step] = steps(watch);
    assert.deepEqual([step.fromSeq, step.seq, steps(watch).length], [2, 5, 1]);
    assert.equal(String(step.patch), '[{"op":"add","path":"/items/4","value":"late"}]');
    assert.deepEqual(
      steps(behind).map(({ seq }: Loose) => seq),
      [2, 5],
    );
    assert.equal(deltasOf(watch).length + statesOf(behind).length, 0);
    for (const each of [watch, behind]) each.call.cancel();
    const bad = client.watch({ ...document, pointers: ['items'] });
    await until(() => bad.status !== undefined);
    assert.equal(errorIn(bad.status!).code, 'INVALID_ARGUMENT');
    await until(() => server.engine.status().counters.watches === 0);
  });
});

test('a watch that cannot be ends with the reason', async () => {
  await withServer([], async ({ client }) => {
    const ends = async (request: object): Promise<Loose> => {
      const watch = client.watch(request);
      await until(() => watch.status !== undefined);
      return [watch.status!.code, errorIn(watch.status!).code];
    };
    assert.deepEqual(await ends({ space: 'none', key: 'a' }), [5, 'SPACE_NOT_FOUND']);
    assert.deepEqual(await ends({ space: 'list', key: '' }), [3, 'INVALID_ARGUMENT']);
    assert.deepEqual(await ends({ ...document, afterSeq: 2 ** 60 }), [3, 'INVALID_ARGUMENT']);
    for (const perSecond of [0, -1, 0.001, 5000, Number.NaN, Infinity]) {
      const request = { ...document, policy: 'WATCH_POLICY_PER_SECOND', perSecond };
      assert.deepEqual(await ends(request), [3, 'INVALID_ARGUMENT'], String(perSecond));
    }
    assert.deepEqual(await ends({ ...document, policy: 9 }), [3, 'INVALID_ARGUMENT']);
  });
});

test('a node that stops ends its watches and send streams with UNAVAILABLE', async () => {
  await withServer([], async ({ client, server }) => {
    const watch = client.watch({ ...document, afterSeq: 0 });
    const stream = client.sendStream();
    await push(client, 1);
    await until(() => deltasOf(watch).length === 1 && stream.responses.length === 1);
    const stopped = server.stop();
    await until(() => watch.status !== undefined && stream.status !== undefined);
    for (const { status: end } of [watch, stream]) {
      assert.deepEqual([end!.code, errorIn(end!).code], [status.UNAVAILABLE, 'UNAVAILABLE']);
    }
    await stopped;
  });
});
