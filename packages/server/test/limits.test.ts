import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { errorIn, json, type Loose, type Received } from './support/test-client.js';
import { type TestServer, withServer } from './support/test-server.js';
import { until } from './support/until.js';

const document = { space: 'list', key: 'a' };

function push(payload: Buffer = json(1)): object {
  return { ...document, channel: 'push', payload };
}

/** Code of the status and of the error in the trailer, and its details. */
function endOf({ status: end }: Received): [number, string, Loose] {
  const error = errorIn(end!);
  return [end!.code, error?.code, error?.details];
}

async function lengthOf({ client }: TestServer): Promise<number> {
  const { reply } = await client.send('list', 'a', 'look', null);
  return Number(reply);
}

test('a full queue answers OVERLOADED and when to try again; what it took takes effect', async () => {
  await withServer(['--limits', 'groupQueueMax=10'], async (server) => {
    const stream = server.client.sendStream();
    stream.write({ messages: Array(1000).fill(push()) });
    await until(() => stream.results.length === 1000);
    const refused = stream.results.filter(({ error }) => error !== null);
    assert.ok(refused.length > 0 && refused.length < 1000, `${refused.length} were refused`);
    for (const { error } of refused) {
      assert.deepEqual([error.code, error.details], ['OVERLOADED', { retryAfterMs: '100' }]);
      assert.match(error.message, /^\d+ messages wait for this group already: send again later/);
    }
    assert.equal(await lengthOf(server), 1000 - refused.length);
    stream.write({ messages: [push()] });
    await until(() => stream.results.length === 1001);
    assert.equal(stream.results.at(-1).error, null, 'the stream goes on');
    stream.end();
  });
});

test('a payload too large fails alone, in its frame', async () => {
  await withServer(['--limits', 'payloadBytesMax=1000'], async (server) => {
    const stream = server.client.sendStream();
    const sizes = [998, 999, 998];
    stream.write({ messages: sizes.map((size) => push(json('x'.repeat(size)))) });
    stream.end();
    await until(() => stream.status !== undefined);
    const byNumber = stream.results.sort((a, b) => a.number - b.number);
    assert.deepEqual(
      byNumber.map(({ error }) => error?.code),
      [undefined, 'INVALID_ARGUMENT', undefined],
    );
    assert.equal(byNumber[1].error.message, 'the payload has 1001 bytes, 1000 are allowed');
    assert.equal(await lengthOf(server), 2);
  });
});

test('a frame with too many messages ends its stream, and none of them is executed', async () => {
  await withServer(['--limits', 'frameMessagesMax=5'], async (server) => {
    const stream = server.client.sendStream();
    stream.write({ messages: Array(5).fill(push()) });
    await until(() => stream.results.length === 5);
    stream.write({ messages: Array(6).fill(push()) });
    await until(() => stream.status !== undefined);
    assert.deepEqual(endOf(stream).slice(0, 2), [status.INVALID_ARGUMENT, 'INVALID_ARGUMENT']);
    assert.match(
      stream.status!.details,
      /^a frame holds more than 5 messages: send them in several$/,
    );
    assert.equal(await lengthOf(server), 5);
  });
});

test('a frame of too many bytes ends its stream, before and beyond what gRPC takes', async () => {
  await withServer(['--limits', 'frameBytesMax=100000'], async (server) => {
    const small = server.client.sendStream();
    small.write({ messages: Array(9).fill(push(json('x'.repeat(10_000)))) });
    await until(() => small.results.length === 9);
    small.write({ messages: Array(10).fill(push(json('x'.repeat(10_000)))) });
    await until(() => small.status !== undefined);
    assert.deepEqual(endOf(small).slice(0, 2), [status.INVALID_ARGUMENT, 'INVALID_ARGUMENT']);
    assert.match(
      small.status!.details,
      /^a frame has 1\d{5} bytes, 100000 are allowed: send several$/,
    );

    // The largest that any call takes is a module of 8 MiB.
    const huge = server.client.sendStream();
    huge.write({ messages: [push(Buffer.alloc(9 * 2 ** 20, 0x20))] });
    await until(() => huge.status !== undefined);
    assert.equal(huge.status!.code, status.RESOURCE_EXHAUSTED);
    assert.equal(await lengthOf(server), 9);
  });
});

test('a client with many unanswered messages is read more slowly, and gets every answer', async () => {
  await withServer(['--limits', 'streamInFlightMax=10'], async (server) => {
    const stream = server.client.sendStream();
    for (let frame = 0; frame < 50; frame++) stream.write({ messages: Array(20).fill(push()) });
    stream.end();
    await until(() => stream.status !== undefined);
    assert.equal(stream.status!.code, status.OK);
    assert.equal(stream.results.filter(({ error }) => error === null).length, 1000);
    assert.equal(await lengthOf(server), 1000);
  });
});

test('a client that reads no answers loses its stream', async () => {
  await withServer(['--limits', 'streamQueueBytesMax=200000'], async (server) => {
    const stream = server.client.sendStream();
    const big = { ...document, channel: 'big', payload: json(50_000) };
    stream.call.pause();
    stream.write({ messages: Array(40).fill(big) });
    await until(() => server.server.engine.status().counters.messagesExecuted >= 40);
    stream.call.resume();
    await until(() => stream.status !== undefined);
    assert.deepEqual(endOf(stream).slice(0, 2), [status.RESOURCE_EXHAUSTED, 'OVERLOADED']);
    assert.match(stream.status!.details, /^200000 bytes of answers were not read: read them/);
    assert.equal(await lengthOf(server), 0);
  });
});

test('too many reads, watches and sessions at once are OVERLOADED', async () => {
  const limits = 'readQueueMax=2,watchesPerNodeMax=1,sessionsPerGroupMax=1';
  await withServer(['--groups', '1', '--limits', limits], async ({ client }) => {
    const waiting = { ...document, mode: 'READ_MODE_AT_LEAST_SEQ', atLeastSeq: 1 };
    const reads = [client.call('get', waiting), client.call('get', waiting)];
    const third = await client.call('get', waiting).catch((error) => error);
    assert.equal(third.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(errorIn(third).details, { retryAfterMs: '100' });
    const watch = client.watch({ ...document, afterSeq: 0 });
    await client.send('list', 'a', 'push', 1);
    await until(() => watch.responses.length > 0);
    assert.deepEqual(
      (await Promise.all(reads)).map(({ seq }) => seq),
      [1, 1],
    );
    const second = client.watch(document);
    await until(() => second.status !== undefined);
    const overloaded = [status.RESOURCE_EXHAUSTED, 'OVERLOADED', { retryAfterMs: '100' }];
    assert.deepEqual(endOf(second), overloaded);
    watch.call.cancel();

    const send = (name: string): Promise<Loose> => {
      const session = { name, openedAtMs: Date.now(), settled: 0 };
      return client.call('send', { session, message: { ...push(), number: 1 } });
    };
    await send('first');
    const refused = await send('second').catch((error) => error);
    assert.equal(errorIn(refused).code, 'OVERLOADED');
    assert.match(refused.details, /remembers 1 sessions already: reuse one session/);
  });
});

test('too many calls that read pages are refused; when one ends there is room for another', async () => {
  await withServer(['--groups', '1', '--limits', 'pageStreamsMax=2'], async ({ client }) => {
    const follow = (): Received => client.readLog({ group: 1, follow: true });
    const open = [follow(), follow()];
    await until(() => open.every(({ responses }) => responses.length > 0));
    const refused = client.listDeltas(document);
    await until(() => refused.status !== undefined);
    assert.deepEqual(endOf(refused).slice(0, 2), [status.RESOURCE_EXHAUSTED, 'OVERLOADED']);
    open[0]!.call.cancel();
    await until(() => open[0]!.status !== undefined);
    let again = client.readLog({ group: 1 });
    await until(() => {
      // The server hears of the end a moment later.
      if (again.status?.code === status.RESOURCE_EXHAUSTED) again = client.readLog({ group: 1 });
      return again.status?.code === status.OK;
    });
    open[1]!.call.cancel();
  });
});
