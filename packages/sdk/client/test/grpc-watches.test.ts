// Watches over real gRPC, with a server that answers as the test says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { CLIENT_LIMITS } from '../src/limits.js';
import { GrpcLink } from '../src/transport/grpc/grpc-link.js';
import { METHODS, WATCH_MANY } from '../src/transport/grpc/protos.js';
import { OnlyApart } from '../src/transport/transport.js';

interface Frame {
  readonly open: readonly {
    readonly id: number;
    readonly watch: { readonly key: string };
    readonly awaitsTaken: boolean;
  }[];
  readonly taken: readonly number[];
  readonly close: readonly number[];
  readonly creditBytes: number;
}

type Call = ServerDuplexStream<Frame, object>;
type Watch = ReturnType<GrpcLink['stream']>;

interface Noted {
  readonly call: Call;
  readonly frames: Frame[];
  isCancelled: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: what a test finds in an event, which fails where it is not so.
type Loose = any;

interface Bench {
  readonly link: GrpcLink;
  /** Calls of WatchMany, the first one first. */
  readonly calls: Noted[];
  /** The id of the watch of a document on the newest call. */
  idOf(key: string): number;
}

async function withServer(
  run: (bench: Bench) => Promise<void>,
  limits: Partial<typeof CLIENT_LIMITS> = {},
  received: (call: Call, frame: Frame) => void = () => {},
): Promise<void> {
  const server = new Server();
  const calls: Noted[] = [];
  // A buffer goes out as it is.
  const serialize = (value: object): Buffer =>
    Buffer.isBuffer(value) ? value : WATCH_MANY.responseSerialize(value);
  server.addService(
    { Watch: METHODS.Watch, WatchMany: { ...WATCH_MANY, responseSerialize: serialize } },
    {
      Watch: (call: { request: { key: string }; write(response: object): void }) => {
        call.write({ events: [{ progress: { seq: 77 } }] });
      },
      WatchMany: (call: Call) => {
        const noted: Noted = { call, frames: [], isCancelled: false };
        calls.push(noted);
        call.on('error', () => {});
        call.on('cancelled', () => {
          noted.isCancelled = true;
        });
        call.on('data', (frame: Frame) => {
          noted.frames.push(frame);
          received(call, frame);
        });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const link = new GrpcLink(`127.0.0.1:${port}`, { ...CLIENT_LIMITS, ...limits });
  const idOf = (key: string): number => {
    const opened = calls.at(-1)!.frames.flatMap(({ open }) => open);
    return opened.findLast(({ watch }) => watch.key === key)!.id;
  };
  try {
    await run({ link, calls, idOf });
  } finally {
    link.close();
    server.forceShutdown();
  }
}

/** Begins a watch; its first answer is asked for. */
function begin({ link }: Pick<Bench, 'link'>, key: string, options: object = {}, more = {}) {
  const watch = link.stream('Watch', { space: 's', key, ...more }, options);
  return { watch, first: watch.next() };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let wait = 0; !isSo(); wait++) {
    assert.ok(wait < 2000, 'it does not come about');
    await sleep(1);
  }
}

/** Resolves once the server knows of so many watches of the newest call. */
async function opened({ calls }: Bench, count: number): Promise<void> {
  await until(() => (calls.at(-1)?.frames ?? []).flatMap(({ open }) => open).length >= count);
}

function progress(seq: number): object {
  return { progress: { seq } };
}

async function seqsOf(watch: Watch, first: ReturnType<Watch['next']>, count: number) {
  const seqs: number[] = [];
  for (let result = await first; ; result = await watch.next()) {
    const { events } = result.value as { events: { progress: { seq: number } }[] };
    for (const event of events) seqs.push(event.progress.seq);
    if (seqs.length >= count) return seqs;
  }
}

test('watches that begin together are one call and one frame, and each gets its events in order', async () => {
  await withServer(async (bench) => {
    const [a, b] = ['a', 'b'].map((key) => begin(bench, key));
    await opened(bench, 2);
    const { call, frames } = bench.calls[0]!;
    assert.deepEqual(
      frames.map(({ open }) => open.map(({ watch }) => watch.key)),
      [['a', 'b']],
    );
    const [ofA, ofB] = [bench.idOf('a'), bench.idOf('b')];
    call.write({
      watched: [
        { events: [progress(1)], ids: [ofA, ofB] },
        { events: [progress(2), progress(3)], ids: [ofB] },
      ],
    });
    call.write({ watched: [{ events: [progress(4)], ids: [ofA, 999] }] });
    assert.deepEqual(await seqsOf(a!.watch, a!.first, 2), [1, 4]);
    assert.deepEqual(await seqsOf(b!.watch, b!.first, 3), [1, 2, 3]);
    assert.equal(bench.calls.length, 1);
  });
});

test('hundreds of watches begin in frames that a node takes', async () => {
  await withServer(async (bench) => {
    for (let at = 0; at < 600; at++) begin(bench, `k${at}`).first.catch(() => {});
    await opened(bench, 600);
    const sizes = bench.calls[0]!.frames.map(({ open }) => open.length);
    assert.deepEqual(sizes, [256, 256, 88]);
  });
});

test('more watches than a stream is to have go on another one', async () => {
  await withServer(
    async (bench) => {
      for (let at = 0; at < 5; at++) begin(bench, `k${at}`).first.catch(() => {});
      await until(() => bench.calls.length === 3 && bench.calls.every(({ frames }) => frames[0]));
      assert.deepEqual(bench.calls.map(({ frames }) => frames[0]!.open.length).sort(), [1, 2, 2]);
    },
    { watchesPerStreamMax: 2 },
  );
});

test('an end is that of its watch alone, behind what came before it', async () => {
  await withServer(async (bench) => {
    const [a, b] = ['a', 'b'].map((key) => begin(bench, key));
    await opened(bench, 2);
    const { call, frames } = bench.calls[0]!;
    const error = { code: 'OVERLOADED', message: 'full', details: { retryAfterMs: '7' } };
    call.write({
      watched: [{ events: [progress(1)], ids: [bench.idOf('a')] }],
      ended: [{ id: bench.idOf('a'), error }],
    });
    assert.deepEqual(await seqsOf(a!.watch, a!.first, 1), [1]);
    await assert.rejects(a!.watch.next(), { code: 'OVERLOADED', details: { retryAfterMs: 7 } });
    call.write({ watched: [{ events: [progress(2)], ids: [bench.idOf('b')] }] });
    assert.deepEqual(await seqsOf(b!.watch, b!.first, 1), [2]);
    assert.ok(
      frames.every(({ close }) => close.length === 0),
      'what has ended is not closed',
    );
  });
});

test('copies of a document are told to the watches that they are for', async () => {
  await withServer(async (bench) => {
    const [a, b] = ['a', 'b'].map((key) => begin(bench, key));
    await opened(bench, 2);
    const { call } = bench.calls[0]!;
    call.write({ copies: [{ ids: [bench.idOf('b')], copies: ['r:1'] }] });
    assert.deepEqual((await b!.first).value, { events: [], copies: ['r:1'] });
    call.write({ watched: [{ events: [progress(1)], ids: [bench.idOf('a')] }] });
    assert.deepEqual(await seqsOf(a!.watch, a!.first, 1), [1]);
  });
});

test('a watch that is left is closed, and the last one ends the stream', async () => {
  await withServer(async (bench) => {
    const [a, b] = ['a', 'b'].map((key) => begin(bench, key));
    await opened(bench, 2);
    const { call, frames } = bench.calls[0]!;
    const ids = [bench.idOf('a'), bench.idOf('b')];
    call.write({ watched: [{ events: [progress(1)], ids }] });
    await Promise.all([a!.first, b!.first]);
    await a!.watch.return(undefined);
    await until(() => frames.some(({ close }) => close.length > 0));
    assert.deepEqual(
      frames.flatMap(({ close }) => close),
      [ids[0]],
    );
    assert.ok(!bench.calls[0]!.isCancelled);
    await b!.watch.return(undefined);
    await until(() => bench.calls[0]!.isCancelled);
    begin(bench, 'c').first.catch(() => {});
    await until(() => bench.calls.length === 2);
  });
});

test('a watch that begins when the last one is left goes on the same stream', async () => {
  await withServer(async (bench) => {
    const a = begin(bench, 'a');
    await opened(bench, 1);
    bench.calls[0]!.call.write({ watched: [{ events: [progress(1)], ids: [bench.idOf('a')] }] });
    await a.first;
    await a.watch.return(undefined);
    begin(bench, 'b').first.catch(() => {});
    await opened(bench, 2);
    await sleep(20);
    assert.deepEqual(
      bench.calls.map(({ isCancelled }) => isCancelled),
      [false],
    );
  });
});

test('a watch that is given up before there was room to ask for it is never asked for', async () => {
  await withServer(async (bench) => {
    const aborter = new AbortController();
    // More frames than a call takes at once.
    for (let at = 0; at < 6000; at++) begin(bench, `k${at}`).first.catch(() => {});
    const late = begin(bench, 'late', { signal: aborter.signal });
    aborter.abort();
    await assert.rejects(late.first, { code: 'CANCELLED' });
    await opened(bench, 6000);
    const { frames } = bench.calls[0]!;
    const keys = frames.flatMap(({ open }) => open.map(({ watch }) => watch.key));
    assert.ok(!keys.includes('late'));
    assert.ok(frames.every(({ close }) => close.length === 0));
  });
});

test('a watch that is given up is closed at once, though its reader is busy, and gives nothing that comes later', async () => {
  await withServer(async (bench) => {
    const aborter = new AbortController();
    const { watch, first } = begin(bench, 'a', { signal: aborter.signal });
    begin(bench, 'b').first.catch(() => {});
    await opened(bench, 2);
    const { call, frames } = bench.calls[0]!;
    const ids = [bench.idOf('a')];
    call.write({ watched: [{ events: [progress(1)], ids }] });
    await first;
    aborter.abort();
    await until(() => frames.some(({ close }) => close.length > 0));
    call.write({ watched: [{ events: [progress(2)], ids }] });
    await sleep(20);
    await assert.rejects(watch.next(), { code: 'CANCELLED' });
  });
});

test('a watch that is given up ends at once, with what had come and was not read', async () => {
  await withServer(async (bench) => {
    const aborter = new AbortController();
    const { watch, first } = begin(bench, 'a', { signal: aborter.signal });
    await opened(bench, 1);
    const ids = [bench.idOf('a')];
    const { call } = bench.calls[0]!;
    for (const seq of [1, 2, 3]) call.write({ watched: [{ events: [progress(seq)], ids }] });
    await first;
    await sleep(20);
    aborter.abort();
    await assert.rejects(watch.next(), { code: 'CANCELLED' });
    await until(() => bench.calls[0]!.isCancelled);
  });
});

test('what has come is granted again, and no more', async () => {
  await withServer(
    async (bench) => {
      const { watch, first } = begin(bench, 'a');
      await opened(bench, 1);
      const { call, frames } = bench.calls[0]!;
      assert.equal(frames[0]!.creditBytes, 5000);
      const responses = [1, 2, 3].map((seq) => ({
        watched: [{ events: [progress(seq)], ids: [bench.idOf('a')] }],
      }));
      // These are not taken off what was granted.
      call.write({ copies: [{ ids: [999], copies: ['r:1'] }], ended: [{ id: 999 }] });
      for (const response of responses) call.write(response);
      const came = responses.reduce(
        (sum, one) => sum + WATCH_MANY.responseSerialize(one).length,
        0,
      );
      assert.deepEqual(await seqsOf(watch, first, 3), [1, 2, 3]);
      const granted = (): number => frames.reduce((sum, { creditBytes }) => sum + creditBytes, 0);
      await until(() => granted() === 5000 + came);
    },
    { watchCreditBytes: 5000 },
  );
});

test('who reads too slowly goes on apart, behind what it had, and the others go on', async () => {
  await withServer(
    async (bench) => {
      const [slow, quick] = ['slow', 'quick'].map((key) => begin(bench, key));
      await opened(bench, 2);
      const { call, frames } = bench.calls[0]!;
      const [ofSlow, ofQuick] = [bench.idOf('slow'), bench.idOf('quick')];
      const piece = Buffer.alloc(3000);
      const state = { state: { seq: 1, piece, last: false, hash: '' } };
      // Its reader has one, and does not ask for more.
      for (let at = 0; at < 5; at++) call.write({ watched: [{ events: [state], ids: [ofSlow] }] });
      await slow!.first;
      await until(() => frames.some(({ close }) => close.includes(ofSlow)));
      call.write({ watched: [{ events: [progress(2)], ids: [ofQuick, ofSlow] }] });
      assert.deepEqual(await seqsOf(quick!.watch, quick!.first, 1), [2]);
      let read = 1;
      await assert.rejects(async () => {
        for (; ; read++) assert.equal((await slow!.watch.next()).done, false);
      }, OnlyApart);
      assert.equal(read, 4, 'what was there before it was too much');
      const apart = bench.link.stream('Watch', { space: 's', key: 'slow' }, { apart: true });
      assert.deepEqual(await seqsOf(apart, apart.next(), 1), [77]);
    },
    { watchUnreadBytesMax: 10_000 },
  );
});

test('a large response is no reason to go apart while nothing else is unread', async () => {
  await withServer(
    async (bench) => {
      const { watch, first } = begin(bench, 'a');
      await opened(bench, 1);
      const state = { state: { seq: 1, piece: Buffer.alloc(50_000), last: false, hash: '' } };
      const { call } = bench.calls[0]!;
      for (let at = 0; at < 5; at++) {
        call.write({ watched: [{ events: [state], ids: [bench.idOf('a')] }] });
        assert.equal((at === 0 ? await first : await watch.next()).done, false);
      }
    },
    { watchUnreadBytesMax: 10_000 },
  );
});

test('when all together have much unread, whoever has something unread goes apart', async () => {
  await withServer(
    async (bench) => {
      const watches = ['a', 'b', 'c'].map((key) => begin(bench, key));
      await opened(bench, 3);
      const { call, frames } = bench.calls[0]!;
      const ids = ['a', 'b', 'c'].map((key) => bench.idOf(key));
      const state = { state: { seq: 1, piece: Buffer.alloc(2000), last: false, hash: '' } };
      const give = (id: number): boolean =>
        call.write({ watched: [{ events: [state], ids: [id] }] });
      // Each has read its first.
      for (const id of ids) give(id);
      for (const { first } of watches) await first;
      for (const id of [ids[0]!, ids[0]!, ids[1]!]) give(id);
      await sleep(20);
      assert.ok(frames.every(({ close }) => close.length === 0));
      for (const id of [ids[2]!, ids[1]!]) give(id);
      await until(() => frames.some(({ close }) => close.length > 0));
      assert.deepEqual(
        frames.flatMap(({ close }) => close),
        [ids[1]],
      );
    },
    { watchesUnreadBytesMax: 8000 },
  );
});

test('a sleeper among many is told apart by all that it has not read, whoever else got it', async () => {
  await withServer(
    async (bench) => {
      const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
      const watches = keys.map((key) => begin(bench, key));
      await opened(bench, 20);
      const { call, frames } = bench.calls[0]!;
      const ids = keys.map((key) => bench.idOf(key));
      const state = { state: { seq: 1, piece: Buffer.alloc(2000), last: false, hash: '' } };
      for (let at = 0; at < 5; at++) {
        call.write({ watched: [{ events: [state], ids }] });
        // All but the last one read.
        for (const { watch, first } of watches.slice(0, 19)) {
          assert.equal((at === 0 ? await first : await watch.next()).done, false);
        }
        if (at === 0) await watches[19]!.first;
      }
      await until(() => frames.some(({ close }) => close.length > 0));
      assert.deepEqual(
        frames.flatMap(({ close }) => close),
        [ids[19]],
      );
    },
    { watchUnreadBytesMax: 7000 },
  );
});

test('an event that is not read keeps no more in memory than itself', async () => {
  await withServer(async (bench) => {
    const [small, large] = ['small', 'large'].map((key) => begin(bench, key));
    await opened(bench, 2);
    const delta = {
      ...{ seq: 1, hash: '', timeMs: 0, patch: Buffer.from('[]') },
      cause: { payload: Buffer.from('{}') },
    };
    const piece = Buffer.alloc(100_000);
    bench.calls[0]!.call.write({
      watched: [
        { events: [{ delta }], ids: [bench.idOf('small')] },
        { events: [{ composed: { patch: Buffer.from('[1]') } }], ids: [bench.idOf('small')] },
        { events: [{ state: { seq: 1, piece, last: true } }], ids: [bench.idOf('large')] },
      ],
    });
    const [first, second] = [await small!.first, await small!.watch.next()].map(
      ({ value }) => (value as { events: Loose[] }).events[0]!,
    );
    for (const part of [first.delta.patch, first.delta.cause.payload, second.composed.patch]) {
      assert.ok(part.buffer.byteLength < 1000, `${part.buffer.byteLength} bytes`);
    }
    assert.equal(Buffer.from(first.delta.patch).toString(), '[]');
    // Small frames lie in a pool.
    bench.calls[0]!.call.write({ watched: [{ events: [{ delta }], ids: [bench.idOf('small')] }] });
    const { value: alone } = await small!.watch.next();
    const { patch } = (alone as { events: Loose[] }).events[0]!.delta;
    assert.ok(patch.buffer.byteLength < 1000, `${patch.buffer.byteLength} bytes`);
    const { value } = await large!.first;
    // Copying most of a frame would save nothing.
    assert.ok((value as { events: Loose[] }).events[0]!.state.piece.buffer.byteLength > 100_000);
  });
});

test('bytes that several watches share count once', async () => {
  await withServer(
    async (bench) => {
      const watches = ['a', 'b', 'c', 'd'].map((key) => begin(bench, key));
      await opened(bench, 4);
      const { call, frames } = bench.calls[0]!;
      const ids = ['a', 'b', 'c', 'd'].map((key) => bench.idOf(key));
      const state = { state: { seq: 1, piece: Buffer.alloc(2000), last: false, hash: '' } };
      for (let at = 0; at < 4; at++) call.write({ watched: [{ events: [state], ids }] });
      for (const { first } of watches) await first;
      await sleep(20);
      assert.ok(frames.every(({ close }) => close.length === 0));
      for (const { watch } of watches) assert.equal((await watch.next()).done, false);
    },
    { watchesUnreadBytesMax: 8000 },
  );
});

test('who wants the latest says when it has taken what came, and wants more', async () => {
  await withServer(async (bench) => {
    const [every, latest] = [
      begin(bench, 'every'),
      begin(bench, 'latest', {}, { policy: 'WATCH_POLICY_LATEST' }),
    ];
    await opened(bench, 2);
    const { call, frames } = bench.calls[0]!;
    const awaits = frames.flatMap(({ open }) => open.map((one) => one.awaitsTaken));
    assert.deepEqual(awaits, [false, true]);
    const taken = (): number[] => frames.flatMap((frame) => frame.taken);
    const ids = [bench.idOf('every'), bench.idOf('latest')];
    const give = (event: object): boolean => call.write({ watched: [{ events: [event], ids }] });
    const piece = { seq: 1, piece: Buffer.from('[]'), hash: '' };
    give({ state: { ...piece, last: false } });
    await Promise.all([every.first, latest.first]);
    const next = latest.watch.next();
    await sleep(20);
    assert.deepEqual(taken(), [], 'there is more of the state');
    give({ state: { ...piece, last: true } });
    await Promise.all([next, every.watch.next()]);
    await sleep(20);
    assert.deepEqual(taken(), [], 'it is not asked for more yet');
    every.watch.next().catch(() => {});
    const more = latest.watch.next();
    await until(() => taken().length > 0);
    give(progress(2));
    await more;
    latest.watch.next().catch(() => {});
    await until(() => taken().length > 1);
    assert.deepEqual(taken(), [ids[1], ids[1]]);
  });
});

test('a stream that breaks ends all its watches, and the next one opens another', async () => {
  await withServer(async (bench) => {
    const [a, b] = ['a', 'b'].map((key) => begin(bench, key));
    await opened(bench, 2);
    bench.calls[0]!.call.emit('error', { code: status.UNAVAILABLE, details: 'stops' });
    await assert.rejects(a!.first, { code: 'UNAVAILABLE' });
    await assert.rejects(b!.first, { code: 'UNAVAILABLE' });
    const again = begin(bench, 'a');
    await until(() => bench.calls.length === 2);
    await opened(bench, 1);
    bench.calls[1]!.call.write({ watched: [{ events: [progress(5)], ids: [bench.idOf('a')] }] });
    assert.deepEqual(await seqsOf(again.watch, again.first, 1), [5]);
  });
});

test('a node that ends the stream in peace has ended its watches', async () => {
  await withServer(async (bench) => {
    const { first } = begin(bench, 'a');
    await opened(bench, 1);
    bench.calls[0]!.call.end();
    await assert.rejects(first, { code: 'UNAVAILABLE' });
  });
});

test('what cannot be read ends the stream, and says so', async () => {
  await withServer(async (bench) => {
    const { first } = begin(bench, 'a');
    await opened(bench, 1);
    bench.calls[0]!.call.write(Buffer.from([0x0a, 0xff]));
    await assert.rejects(first, { code: 'INTERNAL' });
  });
});

test('watches of a node that does not know the stream have calls of their own, once it has said so', async () => {
  await withServer(
    async (bench) => {
      await assert.rejects(begin(bench, 'a').first, { code: 'UNAVAILABLE' });
      for (const key of ['a', 'b']) {
        const { watch, first } = begin(bench, key);
        assert.deepEqual(await seqsOf(watch, first, 1), [77]);
      }
      assert.equal(bench.calls.length, 1);
    },
    {},
    (call) => call.emit('error', { code: status.UNIMPLEMENTED, details: 'what?' }),
  );
});

test('a node that has less room on a stream gets more streams', async () => {
  await withServer(async (bench) => {
    const [a, b] = ['a', 'b'].map((key) => begin(bench, key));
    await opened(bench, 2);
    const { call } = bench.calls[0]!;
    const details = { watchesPerStreamMax: '1' };
    const error = { code: 'OVERLOADED', message: 'open another one', details };
    call.write({ ended: [{ id: bench.idOf('b'), error }] });
    await assert.rejects(b!.first, { code: 'OVERLOADED' });
    for (const key of ['b', 'c']) begin(bench, key).first.catch(() => {});
    await until(() => bench.calls.length === 3);
    call.write({ watched: [{ events: [progress(3)], ids: [1] }] });
    assert.deepEqual(await seqsOf(a!.watch, a!.first, 1), [3]);
  });
});

test('what cannot be said to a node is the end of that watch alone', async () => {
  await withServer(async (bench) => {
    const wrong = begin(bench, 'a', {}, { afterSeq: '' });
    const right = begin(bench, 'b');
    await assert.rejects(wrong.first, { code: 'INVALID_ARGUMENT' });
    await opened(bench, 1);
    bench.calls[0]!.call.write({ watched: [{ events: [progress(1)], ids: [bench.idOf('b')] }] });
    assert.deepEqual(await seqsOf(right.watch, right.first, 1), [1]);
  });
});

test('frames have no more bytes than nodes take, and what alone has more goes apart', async () => {
  await withServer(
    async (bench) => {
      const pointers = (length: number): object => ({ pointers: [`/${'x'.repeat(length)}`] });
      for (let at = 0; at < 5; at++) {
        begin(bench, `k${at}`, {}, pointers(400)).first.catch(() => {});
      }
      await assert.rejects(begin(bench, 'huge', {}, pointers(2000)).first, OnlyApart);
      await opened(bench, 5);
      const sizes = bench.calls[0]!.frames.map(({ open }) => open.length);
      assert.deepEqual(sizes.filter(Boolean), [2, 2, 1]);
    },
    { frameBytesMax: 1000 },
  );
});

test('a link that is closed ends its watches and begins none', async () => {
  await withServer(async (bench) => {
    const { first } = begin(bench, 'a');
    await opened(bench, 1);
    bench.link.close();
    await assert.rejects(first, { code: 'UNAVAILABLE' });
    await assert.rejects(begin(bench, 'b').first, { code: 'UNAVAILABLE' });
  });
});

test('a signal that was aborted before begins nothing', async () => {
  await withServer(async (bench) => {
    const { first } = begin(bench, 'a', { signal: AbortSignal.abort() });
    await assert.rejects(first, { code: 'CANCELLED' });
    assert.equal(bench.calls.length, 0);
  });
});
