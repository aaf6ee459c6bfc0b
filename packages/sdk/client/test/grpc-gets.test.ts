// Reads over real gRPC, with a server that answers as the test says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeltabaseError } from '@deltabase/base';
import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { CLIENT_LIMITS } from '../src/limits.js';
import { GrpcLink } from '../src/transport/grpc/grpc-link.js';
import { GET_MANY, METHODS } from '../src/transport/grpc/protos.js';

interface NumberedGet {
  readonly number: number;
  readonly timeoutMs: number;
  readonly get: { readonly key: string };
}

interface Frame {
  readonly gets: readonly NumberedGet[];
  readonly cancels: readonly number[];
}

type Call = ServerDuplexStream<Frame, object>;

const PATIENT = { timeoutMs: 5000 };
const encoder = new TextEncoder();

function answerOf({ number, get }: NumberedGet): object {
  const value = Buffer.from(JSON.stringify(get.key));
  return { number, value: { seq: 1, hash: '', value, copies: [] } };
}

interface Bench {
  readonly link: GrpcLink;
  /** What each call of GetMany was sent, frame by frame. */
  readonly calls: {
    readonly call: Call;
    readonly frames: (readonly NumberedGet[])[];
    /** Numbers that were given up, frame by frame. */
    readonly cancels: (readonly number[])[];
  }[];
  /** Keys of reads that came as calls of their own. */
  readonly alone: string[];
}

/** `received` is called with each frame; without it the server does not know the stream. */
async function withServer(
  received: ((call: Call, gets: readonly NumberedGet[]) => void) | undefined,
  run: (bench: Bench) => Promise<void>,
): Promise<void> {
  const server = new Server();
  const bench = { calls: [] as Bench['calls'], alone: [] as string[] };
  server.addService(
    { Get: METHODS.Get },
    {
      Get: (call: { request: { key: string } }, answer: (error: null, value: object) => void) => {
        bench.alone.push(call.request.key);
        answer(null, { seq: 2, hash: '', value: encoder.encode('"alone"') });
      },
    },
  );
  if (received !== undefined) {
    server.addService(
      { GetMany: GET_MANY },
      {
        GetMany: (call: Call) => {
          const noted: Bench['calls'][number] = { call, frames: [], cancels: [] };
          bench.calls.push(noted);
          call.on('error', () => {});
          call.on('data', ({ gets, cancels }: Frame) => {
            if (gets.length > 0) noted.frames.push(gets);
            if (cancels.length > 0) noted.cancels.push(cancels);
            received(call, gets);
          });
        },
      },
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const link = new GrpcLink(`127.0.0.1:${port}`, CLIENT_LIMITS);
  try {
    await run({ link, ...bench });
  } finally {
    link.close();
    server.forceShutdown();
  }
}

async function read(link: GrpcLink, key: string, options: object = {}): Promise<string> {
  const request = { space: 's', key, pointer: '', mode: 'READ_MODE_STALE' } as const;
  const { value } = await link.call('Get', request, { ...PATIENT, ...options });
  return JSON.parse(new TextDecoder().decode(value));
}

const answerAll = (call: Call, gets: readonly NumberedGet[]): void => {
  call.write({ values: gets.map(answerOf).reverse() });
};

test('reads that begin together go in one frame, and each gets its own answer in any order', async () => {
  await withServer(answerAll, async ({ link, calls }) => {
    const keys = ['a', 'b', 'c'];
    assert.deepEqual(await Promise.all(keys.map((key) => read(link, key))), keys);
    assert.equal(await read(link, 'd'), 'd');
    assert.deepEqual(
      calls.map(({ frames }) => frames.map((gets) => gets.map(({ get }) => get.key))),
      [[['a', 'b', 'c'], ['d']]],
    );
    assert.equal(calls[0]!.frames[0]![0]!.timeoutMs, 5000);
  });
});

test('a thousand reads go in frames that a node takes', async () => {
  await withServer(answerAll, async ({ link, calls }) => {
    const keys = Array.from({ length: 1000 }, (_, at) => `k${at}`);
    assert.deepEqual(await Promise.all(keys.map((key) => read(link, key))), keys);
    assert.deepEqual(
      calls.map(({ frames }) => frames.map(({ length }) => length)),
      [[256, 256, 256, 232]],
    );
  });
});

test('an error is that of its read alone', async () => {
  const answer = (call: Call, gets: readonly NumberedGet[]): void => {
    const { number } = gets[0]!;
    const error = { code: 'OUTPUT_TOO_LARGE', message: 'large', details: { bytes: '7' } };
    call.write({ values: [{ number, error }, ...gets.slice(1).map(answerOf)] });
  };
  await withServer(answer, async ({ link }) => {
    const large = read(link, 'a');
    const other = read(link, 'b');
    await assert.rejects(large, { code: 'OUTPUT_TOO_LARGE', details: { bytes: 7 } });
    assert.equal(await other, 'b');
  });
});

test('when the stream ends all that is open fails, and the next read opens another one', async () => {
  const fail = (call: Call): void => {
    call.emit('error', { code: status.UNAVAILABLE, details: 'the node stops' });
  };
  const turns = [fail, (call: Call) => void call.end(), answerAll];
  const each = (call: Call, gets: readonly NumberedGet[]): void => turns.shift()!(call, gets);
  await withServer(each, async ({ link, calls }) => {
    const both = await Promise.allSettled([read(link, 'a'), read(link, 'b')]);
    for (const one of both) {
      assert.ok(one.status === 'rejected' && one.reason instanceof DeltabaseError);
      assert.deepEqual(
        [one.reason.code, /the node stops/.test(one.reason.message)],
        ['UNAVAILABLE', true],
      );
    }
    await assert.rejects(read(link, 'c'), { code: 'UNAVAILABLE', message: /has ended the stream/ });
    assert.equal(await read(link, 'd'), 'd');
    assert.equal(calls.length, 3);
  });
});

test('who gives up, or has waited long enough, is told at once; others still get theirs', {
  timeout: 10_000,
}, async () => {
  let late: () => void = () => {};
  const hold = (call: Call, gets: readonly NumberedGet[]): void => {
    late = () => answerAll(call, gets);
  };
  await withServer(hold, async ({ link }) => {
    const controller = new AbortController();
    const given = read(link, 'a', { signal: controller.signal });
    const short = read(link, 'b', { timeoutMs: 50 });
    const patient = read(link, 'c');
    controller.abort();
    await assert.rejects(given, { code: 'CANCELLED' });
    await assert.rejects(short, { code: 'DEADLINE_EXCEEDED' });
    late();
    assert.equal(await patient, 'c');
  });
});

test('the node is told of reads that were given up, once, and of no others', {
  timeout: 10_000,
}, async () => {
  const answerSome = (call: Call, gets: readonly NumberedGet[]): void => {
    answerAll(
      call,
      gets.filter(({ get }) => !get.key.startsWith('held')),
    );
  };
  await withServer(answerSome, async ({ link, calls }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const unsent = new AbortController();
    const held = ['held 1', 'held 2'].map((key) => read(link, key, { signal }));
    const late = read(link, 'held 3', { timeoutMs: 50 });
    const never = read(link, 'held 4', { signal: unsent.signal });
    const answered = read(link, 'b', { signal });
    unsent.abort();
    await assert.rejects(never, { code: 'CANCELLED' });
    assert.equal(await answered, 'b');
    await assert.rejects(late, { code: 'DEADLINE_EXCEEDED' });
    controller.abort();
    for (const read of held) await assert.rejects(read, { code: 'CANCELLED' });
    assert.equal(await read(link, 'c'), 'c');
    const [{ frames, cancels }] = calls as [Bench['calls'][number]];
    assert.deepEqual(
      frames.map((gets) => gets.map(({ number, get }) => `${number} ${get.key}`)),
      [['1 held 1', '2 held 2', '3 held 3', '5 b'], ['6 c']],
    );
    assert.deepEqual(cancels, [[3], [1, 2]]);
  });
});

test('many reads that are given up are told in frames that a node takes', async () => {
  const answerLast = (call: Call, gets: readonly NumberedGet[]): void => {
    answerAll(
      call,
      gets.filter(({ get }) => get.key === 'last'),
    );
  };
  await withServer(answerLast, async ({ link, calls }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const reads = Array.from({ length: 600 }, () => read(link, 'held', { signal }));
    assert.equal(await read(link, 'last'), 'last');
    controller.abort();
    await Promise.allSettled(reads);
    assert.equal(await read(link, 'last'), 'last');
    assert.deepEqual(
      calls[0]!.cancels.map(({ length }) => length),
      [256, 256, 88],
    );
  });
});

test('a link that is closed leaves nobody waiting', async () => {
  await withServer(
    () => {},
    async ({ link }) => {
      const open = read(link, 'a');
      await sleep(20);
      link.close();
      await assert.rejects(open, { code: 'UNAVAILABLE' });
      await assert.rejects(read(link, 'b'), { code: 'UNAVAILABLE' });
      // Nor one that was about to be sent.
      const other = new GrpcLink('127.0.0.1:1', CLIENT_LIMITS);
      const unsent = read(other, 'c');
      other.close();
      await assert.rejects(unsent, { code: 'UNAVAILABLE' });
    },
  );
});

test('answers that cannot be read end the stream with that', async () => {
  const garbage = (call: Call, [get]: readonly NumberedGet[]): void => {
    call.write({ values: [{ number: get!.number }] });
  };
  await withServer(garbage, async ({ link }) => {
    await assert.rejects(read(link, 'a'), { code: 'INTERNAL', message: /says nothing/ });
  });
});

test('a node that does not know the stream is asked by calls', async () => {
  await withServer(undefined, async ({ link, alone }) => {
    assert.deepEqual(await Promise.all([read(link, 'a'), read(link, 'b')]), ['alone', 'alone']);
    assert.equal(await read(link, 'c'), 'alone');
    assert.deepEqual(alone, ['a', 'b', 'c']);
  });
});

test('what others would have to wait for goes by itself', async () => {
  await withServer(answerAll, async ({ link, alone }) => {
    const past = {
      space: 's',
      key: 'past',
      pointer: '',
      mode: 'READ_MODE_STALE',
      atSeq: 3,
    } as const;
    assert.equal((await link.call('Get', past, PATIENT)).seq, 2);
    assert.equal(await read(link, 'k'.repeat(5000)), 'alone');
    assert.equal(alone.length, 2);
  });
});
