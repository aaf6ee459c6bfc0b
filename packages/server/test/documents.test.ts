import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { errorIn, json, type Loose, type TestClient } from './support/test-client.js';
import { withServer } from './support/test-server.js';
import { until } from './support/until.js';

const session = { name: 'a-session', openedAtMs: Date.now(), settled: 0 };

/** Asserts that a call fails with the status, and with the code in its trailer. */
async function fails(call: Promise<Loose>, grpc: number, code: string): Promise<Loose> {
  const error = await call.then(
    () => assert.fail(`it should fail with ${code}`),
    (thrown) => thrown,
  );
  assert.equal(error.code, grpc, error.message);
  const carried = errorIn(error);
  assert.deepEqual([carried.code, carried.message], [code, error.details]);
  return carried;
}

function push(number: number, more: object = {}): object {
  return { space: 'list', key: 'a', channel: 'push', payload: json(number), number, ...more };
}

async function fill(client: TestClient, count: number): Promise<void> {
  const stream = client.sendStream();
  stream.write({ session, messages: Array.from({ length: count }, (_, at) => push(at + 1)) });
  stream.end();
  await until(() => stream.status !== undefined);
  assert.equal(stream.results.length, count);
}

test('a message takes effect, and its answer says where the document is', async () => {
  await withServer([], async ({ client }) => {
    const first = await client.send('list', 'a', 'push', 'one');
    assert.deepEqual([first.seq, String(first.reply), first.route], [1, '1', null]);
    const second = await client.send('list', 'a', 'push', 'two');
    assert.deepEqual([second.seq, String(second.reply)], [2, '2']);
    const looked = await client.send('list', 'a', 'look', null);
    assert.deepEqual([looked.seq, String(looked.reply)], [2, '2']);
    const read = await client.call('get', { space: 'list', key: 'a' });
    assert.equal(String(read.value), '{"items":["one","two"],"length":2}');
    assert.equal(read.seq, 2);
    assert.match(read.hash, /^[0-9a-f]{16}$/);
  });
});

test('a read that waits is given up by its number, and those beside it are answered', async () => {
  await withServer([], async ({ client }) => {
    const stream = client.getMany();
    const atLeast = (number: number, atLeastSeq: number) => ({
      ...{ number, timeoutMs: 10_000 },
      get: { space: 'list', key: 'a', mode: 'READ_MODE_AT_LEAST_SEQ', atLeastSeq },
    });
    stream.write({ gets: [atLeast(1, 2), atLeast(2, 2), atLeast(3, 1)] });
    await client.send('list', 'a', 'push', 'one');
    await until(() => stream.all('values').length === 1);
    stream.write({ cancels: [1, 3, 4] });
    stream.write({ gets: [atLeast(4, 1)] });
    await until(() => stream.all('values').length === 2);
    await client.send('list', 'a', 'push', 'two');
    stream.end();
    await until(() => stream.status !== undefined);
    assert.deepEqual(
      stream.all('values').map(({ number, value }) => [number, value.seq]),
      [
        [3, 1],
        [4, 1],
        [2, 2],
      ],
    );
    assert.equal(stream.status!.code, status.OK);
  });
});

test('a message that is sent again under its number gets its first answer', async () => {
  await withServer([], async ({ client }) => {
    const request = { session, message: push(1) };
    const answers = [await client.call('send', request), await client.call('send', request)];
    assert.deepEqual(
      answers.map(({ seq, reply }) => [seq, String(reply)]),
      [
        [1, '1'],
        [1, '1'],
      ],
    );
  });
});

test('a session is refused from the end on that its client gave it', async () => {
  await withServer([], async ({ client }) => {
    const ending = (expiresAtMs: number) => ({
      session: { name: `ends-${expiresAtMs}`, openedAtMs: Date.now() - 1000, expiresAtMs },
      message: push(1),
    });
    const { FAILED_PRECONDITION, INVALID_ARGUMENT } = status;
    const early = client.call('send', ending(Date.now() - 1));
    await fails(early, FAILED_PRECONDITION, 'SESSION_EXPIRED');
    await fails(client.call('send', ending(1)), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    assert.equal((await client.call('send', ending(Date.now() + 60_000))).seq, 1);
    const stream = client.sendStream();
    const { session: ended, message } = ending(Date.now() - 1);
    stream.write({ session: ended, messages: [message] });
    await until(() => stream.results.length === 1);
    assert.equal(stream.results[0].error.code, 'SESSION_EXPIRED');
  });
});

test('what is wrong with a message is told by status and trailer', async () => {
  await withServer([], async ({ client }) => {
    const bad = (message: object, more: object = {}): Promise<Loose> => {
      const good = { space: 'list', key: 'a', channel: 'push', payload: json(1) };
      return client.call('send', { message: { ...good, ...message }, ...more });
    };
    const { INVALID_ARGUMENT: invalid, NOT_FOUND: missing, FAILED_PRECONDITION } = status;
    await fails(client.call('send', {}), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ space: '' }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ space: 'No Such' }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ space: '$system' }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ key: '' }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ key: 'k'.repeat(513) }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ key: 'a\nb' }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ channel: '' }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ payload: Buffer.from('{{') }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ payload: Buffer.from([0xff]) }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ payload: Buffer.alloc(300_000, 32) }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ number: 1 }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ after: 1 }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({}, { session }), invalid, 'INVALID_ARGUMENT');
    await fails(bad({ number: 2, after: 2 }, { session }), invalid, 'INVALID_ARGUMENT');
    const unnamed = { ...session, name: '' };
    await fails(bad({ number: 1 }, { session: unnamed }), invalid, 'INVALID_ARGUMENT');
    const long = { ...session, name: 'n'.repeat(65) };
    await fails(bad({ number: 1 }, { session: long }), invalid, 'INVALID_ARGUMENT');
    const undated = { ...session, openedAtMs: -1 };
    await fails(bad({ number: 1 }, { session: undated }), invalid, 'INVALID_ARGUMENT');
    const old = { ...session, openedAtMs: 1 };
    await fails(bad({ number: 1 }, { session: old }), FAILED_PRECONDITION, 'SESSION_EXPIRED');
    await fails(bad({ space: 'none' }), missing, 'SPACE_NOT_FOUND');
    await fails(bad({ channel: 'none' }), missing, 'CHANNEL_NOT_FOUND');
    const refused = await fails(bad({ channel: 'refuse' }), FAILED_PRECONDITION, 'REJECTED');
    assert.equal(refused.message, 'not today');
    const answer = await bad({});
    assert.equal(answer.seq, 1, 'none of them took effect');
  });
});

test('reads in every mode, at a pointer and of an earlier seq', async () => {
  await withServer([], async ({ client }) => {
    await fill(client, 3);
    const get = (more: object): Promise<Loose> =>
      client.call('get', { space: 'list', key: 'a', ...more });
    const text = async (more: object): Promise<string> => String((await get(more)).value);
    for (const mode of ['READ_MODE_LINEARIZABLE', 'READ_MODE_STALE']) {
      assert.equal(await text({ mode, pointer: '/items' }), '[1,2,3]');
    }
    assert.equal(await text({ pointer: '/items', atSeq: 2 }), '[1,2]');
    const waiting = text({ mode: 'READ_MODE_AT_LEAST_SEQ', atLeastSeq: 4, pointer: '/length' });
    await client.send('list', 'a', 'push', 4);
    assert.equal(await waiting, '4');

    const { INVALID_ARGUMENT, NOT_FOUND } = status;
    await fails(get({ mode: 77 }), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    await fails(get({ pointer: 'items' }), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    await fails(get({ pointer: '/~2' }), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    await fails(get({ pointer: `/${'p'.repeat(5000)}` }), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    await fails(get({ atSeq: 9 }), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    await fails(get({ atSeq: 0 }), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    await fails(get({ atSeq: 2 ** 60 }), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    await fails(get({ atLeastSeq: 2 ** 60 }), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    await fails(get({ key: '' }), INVALID_ARGUMENT, 'INVALID_ARGUMENT');
    await fails(get({ pointer: '/none' }), NOT_FOUND, 'POINTER_NOT_FOUND');
    await fails(get({ key: 'other' }), NOT_FOUND, 'DOCUMENT_NOT_FOUND');
    await fails(get({ key: 'other', atSeq: 1 }), NOT_FOUND, 'DOCUMENT_NOT_FOUND');
    await fails(get({ space: 'none' }), NOT_FOUND, 'SPACE_NOT_FOUND');
    await fails(get({ space: 'none', mode: 'READ_MODE_STALE' }), NOT_FOUND, 'SPACE_NOT_FOUND');
  });
});

test('a read that waits for a seq ends with its deadline', async () => {
  await withServer(['--limits', 'requestTimeoutMsMax=300'], async ({ client }) => {
    const mode = 'READ_MODE_AT_LEAST_SEQ';
    const late = client.call('get', { space: 'list', key: 'a', mode, atLeastSeq: 5 });
    await fails(late, status.DEADLINE_EXCEEDED, 'DEADLINE_EXCEEDED');
  });
});

test('the history of a document comes in order, from where it is asked for', async () => {
  await withServer(['--limits', 'historyPageMax=10'], async ({ client }) => {
    await fill(client, 35);
    const list = async (more: object): Promise<Loose[]> => {
      const deltas = client.listDeltas({ space: 'list', key: 'a', ...more });
      await until(() => deltas.status !== undefined);
      assert.equal(deltas.status!.code, status.OK);
      return deltas.all('deltas');
    };
    const all = await list({});
    assert.deepEqual(
      all.map(({ seq }) => seq),
      Array.from({ length: 35 }, (_, at) => at + 1),
    );
    assert.deepEqual(JSON.parse(String(all[1].patch)), [
      { op: 'add', path: '/items/-', value: 2 },
      { op: 'replace', path: '/length', value: 2 },
    ]);
    const { cause } = all[1];
    assert.deepEqual(
      [cause.channel, String(cause.payload), cause.principal, cause.messageId, cause.version],
      ['push', '2', 'anonymous', 'a-session/2', 1],
    );
    const seqs = async (more: object): Promise<number[]> => (await list(more)).map((d) => d.seq);
    assert.deepEqual(await seqs({ fromSeq: 33 }), [33, 34, 35]);
    assert.deepEqual(await seqs({ fromSeq: 9, limit: 3 }), [9, 10, 11]);
    assert.deepEqual(await seqs({ fromSeq: 36 }), []);
    assert.equal((await seqs({ limit: 25 })).length, 25);
  });
});

test('a history that is not there, or not asked for well, is an error', async () => {
  await withServer([], async ({ client }) => {
    const ends = async (request: object): Promise<Loose> => {
      const deltas = client.listDeltas(request);
      await until(() => deltas.status !== undefined);
      return [deltas.status!.code, errorIn(deltas.status!).code];
    };
    assert.deepEqual(await ends({ space: 'list', key: 'none' }), [5, 'DOCUMENT_NOT_FOUND']);
    assert.deepEqual(await ends({ space: 'none', key: 'none' }), [5, 'SPACE_NOT_FOUND']);
    assert.deepEqual(await ends({ space: 'list', key: '' }), [3, 'INVALID_ARGUMENT']);
    const far = { space: 'list', key: 'a', fromSeq: 2 ** 60 };
    assert.deepEqual(await ends(far), [3, 'INVALID_ARGUMENT']);
  });
});
