import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import {
  type DocumentName,
  type DocumentStreams,
  type Failure,
  failure,
  type HeadsRequest,
  type HeadsResult,
  NODE_ORIGIN,
  type OriginFeed,
  type WatchRequest,
  type WatchSink,
} from '@deltabase/engine';
import { CopyHints } from '../src/services/copy-hints.js';
import { statusOf } from '../src/services/status.js';
import { type WatchManyHost, WatchManyStream } from '../src/services/watch-many-stream.js';
import { SlowCall } from './support/slow-call.js';
import { codecOf, type Loose } from './support/test-client.js';

const LIMITS = {
  ...DEFAULT_LIMITS,
  watchQueueBytesMax: 1000,
  watchQueuesBytesMax: 3000,
  watchesPerStreamMax: 3,
};
const PIECE = new Uint8Array(300);
const { decode } = codecOf('deltabase.v1.WatchManyResponse');

class AskedCall extends SlowCall {
  get responses(): Loose[] {
    return this.messages.map((message) => decode(message));
  }

  ask(request: Loose): void {
    this.emit('data', { open: [], close: [], creditBytes: 0, heads: [], taken: [], ...request });
  }
}

interface Watched {
  readonly request: WatchRequest;
  readonly sink: WatchSink;
  resumed: number;
  isCancelled: boolean;
}

class Streams implements DocumentStreams {
  readonly watched: Watched[] = [];
  /** How each watch that begins ends at once. */
  refusal: Failure | undefined;
  readonly asked: Array<{
    readonly request: HeadsRequest;
    readonly answer: (result: HeadsResult | Failure) => void;
  }> = [];

  read(): never {
    throw new Error('nobody reads here');
  }

  watch(request: WatchRequest, sink: WatchSink) {
    const watched: Watched = { request, sink, resumed: 0, isCancelled: false };
    this.watched.push(watched);
    if (this.refusal !== undefined) sink.end(this.refusal);
    return {
      resume: () => void watched.resumed++,
      carry() {},
      cancel() {
        watched.isCancelled = true;
      },
    };
  }

  heads(request: HeadsRequest, answer: (result: HeadsResult | Failure) => void): void {
    this.asked.push({ request, answer });
  }
}

/** Which copies there are. */
class Directory {
  readonly #copies = new Map<string, readonly string[]>();
  #changed: (document: DocumentName) => void = () => {};

  set(key: string, ...addresses: string[]): void {
    this.#copies.set(key, addresses);
    this.#changed({ space: 'list', key });
  }

  copiesOf({ key }: DocumentName): readonly string[] {
    return this.#copies.get(key) ?? [];
  }

  followCopies(listener: (document: DocumentName) => void): () => void {
    this.#changed = listener;
    return () => {};
  }
}

function setUp(origin: OriginFeed = NODE_ORIGIN) {
  const directory = new Directory();
  const hints = new CopyHints(directory);
  const streams = new Streams();
  const call = new AskedCall();
  const total = { bytes: 0 };
  const host: WatchManyHost = {
    ...{ streams, total, origin, hints },
    limits: LIMITS,
    nowMs: () => 5000,
    statusOfThrown(thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      return statusOf(thrown);
    },
  };
  new WatchManyStream(call as Loose, host);
  const open = (id: number, key = `k${id}`): Watched => {
    call.ask({ open: [{ id, watch: { space: 'list', key, policy: 0, perSecond: 0 } }] });
    return streams.watched.at(-1)!;
  };
  /** Has a watch give as much as it may; returns how often that was. */
  const fill = ({ sink }: Watched): number => {
    let count = 0;
    for (; sink.ready && count < 100; count++) sink.state(1, PIECE, undefined);
    return count;
  };
  /** What was told of copies: the watches, and the copies. */
  const hinted = (): [number[], string[]][] =>
    call.responses.flatMap(({ copies }) =>
      copies.map(({ ids, copies: addresses }: Loose) => [ids, addresses]),
    );
  return { streams, call, total, open, fill, directory, hinted };
}

test('nothing is given before it is granted, nor much more than that', async () => {
  const { call, open, fill } = setUp();
  const one = open(1);
  assert.equal(fill(one), 0);
  call.ask({ creditBytes: 700 });
  assert.equal(one.resumed, 1);
  assert.equal(fill(one), 3, 'the last event is larger than what is left');
  await turn();
  call.readAll();
  assert.equal(one.resumed, 1, 'there is no credit left');
  call.ask({ creditBytes: 100 });
  assert.equal(fill(one), 0, 'what was too much is taken off');
  call.ask({ creditBytes: 400 });
  assert.equal(fill(one), 1);
});

test('what a turn gives leaves as one response, by watch', async () => {
  const { call, open } = setUp();
  call.ask({ creditBytes: 1e6 });
  const [one, two] = [open(1), open(2)];
  one.sink.state(3, PIECE, undefined);
  two.sink.state(4, PIECE, 'abcdabcdabcdabcd');
  one.sink.flush();
  await turn();
  const watched = call.responses.at(-1).watched;
  assert.deepEqual(
    watched.map(({ ids, events }: Loose) => [ids[0], events[0].state.seq]),
    [
      [1, 3],
      [2, 4],
    ],
  );
});

test('what is on its way is not written over by what comes next', async () => {
  const { call, open } = setUp();
  const written: Buffer[] = [];
  const write = call.write.bind(call);
  call.write = (frame, done) => {
    written.push(frame);
    write(frame, done);
  };
  call.ask({ creditBytes: 1e6 });
  const one = open(1);
  for (const seq of [1, 2, 3]) {
    one.sink.state(seq, PIECE, undefined);
    await turn();
    if (seq === 2) call.readAll();
  }
  const seqs = written.map(
    (frame) => decode(frame.subarray(5)).watched.map(({ events }: Loose) => events[0].state.seq)[0],
  );
  // The last one was written when all before had left: over one of them.
  assert.deepEqual(seqs.slice(-3).filter(Boolean).sort(), [1, 3, 3]);
});

test('a stream holds back no more than its limit, and its watches go on when it is read', async () => {
  const { call, total, open, fill } = setUp();
  call.ask({ creditBytes: 1e9 });
  const [one, two] = [open(1), open(2)];
  assert.equal(fill(one), 4);
  assert.equal(fill(two), 0);
  await turn();
  assert.ok(total.bytes >= 1000 && total.bytes < 1500, String(total.bytes));
  call.readAll();
  assert.deepEqual([one.resumed, two.resumed, total.bytes], [1, 1, 0]);
});

test('who waits until all has left is told when it has', async () => {
  const { call, open } = setUp();
  call.ask({ creditBytes: 1e9 });
  const one = open(1);
  assert.ok(one.sink.idle);
  one.sink.state(1, PIECE, undefined);
  await turn();
  assert.ok(!one.sink.idle);
  assert.equal(one.resumed, 0);
  call.readAll();
  assert.equal(one.resumed, 1);
});

test('a watch whose receiver says what it has taken gets the next news once it has, whatever has left', async () => {
  const { call, streams } = setUp();
  call.ask({ creditBytes: 1e9 });
  const watch = { space: 'list', key: 'a', policy: 2, perSecond: 0 };
  call.ask({ open: [{ id: 1, watch, awaitsTaken: true }] });
  const one = streams.watched.at(-1)!;
  assert.ok(one.sink.idle, 'nothing was given yet');
  one.sink.state(1, PIECE, 'abcdabcdabcdabcd');
  await turn();
  call.readAll();
  assert.ok(!one.sink.idle);
  assert.ok(one.sink.ready, 'what was begun goes on');
  const before = one.resumed;
  call.ask({ taken: [1, 2] });
  assert.equal(one.resumed, before + 1);
  assert.ok(one.sink.idle);
  call.ask({ taken: [1] });
  assert.equal(one.resumed, before + 1, 'there was nothing to take');
});

test('watches whose receivers have taken everything are given in one turn, and none waits for what others have on their way', async () => {
  const { call, streams } = setUp();
  call.ask({ creditBytes: 1e9 });
  const watch = { space: 'list', key: 'a', policy: 2, perSecond: 0 };
  call.ask({ open: [1, 2, 3].map((id) => ({ id, watch, awaitsTaken: true })) });
  const [one, two, three] = streams.watched;
  for (const { sink } of [one!, two!]) {
    assert.ok(sink.idle);
    sink.state(1, PIECE, undefined);
  }
  await turn();
  assert.ok(three!.sink.idle);
  call.ask({ taken: [1] });
  assert.deepEqual(
    [one, two].map((it) => it!.sink.idle),
    [true, false],
  );
});

test('who does not say what it has taken is given in one turn with others, once all before has left', async () => {
  const { call, open } = setUp();
  call.ask({ creditBytes: 1e9 });
  const watches = [open(1), open(2)];
  for (const { sink } of watches) {
    assert.ok(sink.idle);
    sink.state(1, PIECE, undefined);
  }
  await turn();
  assert.ok(watches.every(({ sink }) => !sink.idle));
  call.readAll();
  assert.deepEqual(
    watches.map(({ resumed }) => resumed),
    [1, 1],
  );
});

test('who says what it has taken waits for room like others', () => {
  const { call, streams } = setUp();
  const watch = { space: 'list', key: 'a', policy: 2, perSecond: 0 };
  call.ask({ open: [{ id: 1, watch, awaitsTaken: true }] });
  const [one] = streams.watched;
  assert.ok(!one!.sink.idle, 'nothing is granted');
  call.ask({ creditBytes: 1000 });
  assert.equal(one!.resumed, 1);
  assert.ok(one!.sink.idle);
});

test('a watch that ends is told with its error behind its events, and its id is free of it', async () => {
  const { call, open } = setUp();
  call.ask({ creditBytes: 1e9 });
  const one = open(1);
  one.sink.state(1, PIECE, undefined);
  one.sink.end(failure('HISTORY_GONE', 'gone'));
  await turn();
  const { watched, ended } = call.responses.at(-1);
  assert.deepEqual(watched[0].ids, [1]);
  assert.deepEqual([ended[0].id, ended[0].error.code], [1, 'HISTORY_GONE']);
  call.ask({ close: [1] });
  assert.equal(call.status, undefined, 'to close what has ended is no error');
});

test('a watch that is closed is cancelled, and so are all when the stream ends', () => {
  const { call, streams, open } = setUp();
  open(1);
  open(2);
  call.ask({ close: [1] });
  assert.deepEqual(
    streams.watched.map(({ isCancelled }) => isCancelled),
    [true, false],
  );
  call.emit('cancelled');
  assert.ok(streams.watched[1]!.isCancelled);
});

test('heads are asked for by watch and answered by number', async () => {
  const { call, streams, open } = setUp();
  open(1, 'a');
  open(2, 'b');
  call.ask({ heads: [{ number: 7, ids: [2, 1], timeoutMs: 250 }] });
  const { request, answer } = streams.asked[0]!;
  assert.deepEqual(
    request.names.map(({ key }) => key),
    ['b', 'a'],
  );
  assert.equal(request.expiresMs, 5250);
  answer({ kind: 'heads', seqs: [5, 6] });
  await turn();
  assert.deepEqual(
    call.responses.at(-1).heads.map(({ number, seqs }: Loose) => [number, seqs]),
    [[7, [5, 6]]],
  );
  call.ask({ heads: [{ number: 8, ids: [3], timeoutMs: 0 }] });
  await turn();
  assert.equal(call.responses.at(-1).heads[0].error.code, 'INVALID_ARGUMENT');
});

test('where a stream comes from is told first, and when it changes', async () => {
  let listener = (): void => {};
  let live = false;
  const { call } = setUp({
    get current() {
      return { via: ['r1'], live };
    },
    listen(told) {
      listener = told;
      return () => {};
    },
  });
  await turn();
  assert.deepEqual(call.responses[0].origin, { via: ['r1'], live: false });
  live = true;
  listener();
  await turn();
  assert.deepEqual(call.responses[1].origin, { via: ['r1'], live: true });
});

test('a watch is told of the copies of its document when it begins', async () => {
  const { call, open, directory, hinted } = setUp();
  directory.set('a', 'r:1', 'r:2');
  open(1, 'a');
  open(2, 'b');
  open(3, 'a');
  assert.deepEqual(hinted(), [[[1], ['r:1', 'r:2']]]);
  call.readAll();
  assert.deepEqual(hinted()[1], [[3], ['r:1', 'r:2']], 'once what was before has left');
  call.ask({ creditBytes: 10 });
  assert.equal(hinted().length, 2, 'once');
});

test('all watches of a document are told when its copies are others, together, and not that there are none', () => {
  const { call, open, directory, hinted } = setUp();
  open(1, 'a');
  open(2, 'b');
  open(3, 'a');
  directory.set('a', 'r:1');
  directory.set('a');
  call.readAll();
  assert.deepEqual(hinted(), [[[1, 3], ['r:1']]]);
});

test('a watch that begins when there are no copies any more is told of none', () => {
  const { call, open, directory, hinted } = setUp();
  open(1, 'a');
  directory.set('a', 'r:1');
  directory.set('a');
  open(2, 'a');
  call.readAll();
  assert.deepEqual(hinted(), [[[1], ['r:1']]]);
});

test('a watch that keeps a copy is not told of others', () => {
  const { call, directory, hinted } = setUp();
  directory.set('a', 'r:1');
  const watch = { space: 'list', key: 'a', policy: 0, perSecond: 0, forCopy: true };
  call.ask({ open: [{ id: 1, watch }] });
  directory.set('a', 'r:1', 'r:2');
  assert.deepEqual(hinted(), []);
});

test('a watch that has ended, or was closed, is told of no copies', () => {
  const { call, open, directory, hinted } = setUp();
  open(1, 'a');
  const two = open(2, 'a');
  open(3, 'a');
  call.ask({ close: [1] });
  two.sink.end(failure('HISTORY_GONE', 'gone'));
  directory.set('a', 'r:1');
  assert.deepEqual(hinted(), [[[3], ['r:1']]]);
  call.ask({ close: [3] });
  directory.set('a', 'r:2');
  assert.equal(hinted().length, 1);
});

test('who reads slowly is told of the newest copies, with the next events', async () => {
  const { call, open, directory, hinted } = setUp();
  call.ask({ creditBytes: 1e9 });
  const one = open(1, 'a');
  one.sink.state(1, PIECE, undefined);
  await turn();
  for (let at = 1; at <= 100; at++) directory.set('a', `r:${at}`);
  assert.deepEqual(hinted(), []);
  one.sink.state(2, PIECE, undefined);
  await turn();
  assert.deepEqual(hinted(), [[[1], ['r:100']]]);
});

test('a stream that has ended follows no copies', () => {
  const { call, open, directory, hinted } = setUp();
  open(1, 'a');
  call.emit('cancelled');
  directory.set('a', 'r:1');
  assert.deepEqual(hinted(), []);
});

test('a watch that is refused as it begins is told of copies with its end, and followed no longer', async () => {
  const { call, streams, open, directory, hinted } = setUp();
  directory.set('a', 'r:1');
  streams.refusal = failure('OVERLOADED', 'too much is read');
  open(1, 'a');
  await turn();
  call.readAll();
  assert.deepEqual(hinted(), [[[1], ['r:1']]]);
  directory.set('a', 'r:2');
  assert.equal(hinted().length, 1);
});

test('a watch more than a stream may have has no room, and the others go on', async () => {
  const { call, streams, open } = setUp();
  for (const id of [1, 2, 3]) open(id);
  call.ask({ open: [{ id: 4, watch: { space: 'list', key: 'k4', policy: 0, perSecond: 0 } }] });
  await turn();
  const [end] = call.responses.flatMap(({ ended }) => ended);
  assert.deepEqual([end.id, end.error.code], [4, 'OVERLOADED']);
  assert.deepEqual(end.error.details, { watchesPerStreamMax: '3' });
  assert.equal(call.status, undefined);
  assert.deepEqual(
    streams.watched.map(({ isCancelled }) => isCancelled),
    [false, false, false],
  );
});

test('what no watch can be is the end of that watch alone', async () => {
  const { call, streams, open } = setUp();
  const one = open(1);
  const watch = { space: 'list', key: 'a', policy: 9, perSecond: 0 };
  call.ask({
    open: [
      { id: 2, watch },
      { id: 3, watch: { ...watch, policy: 0, afterSeq: 2 ** 64 } },
    ],
  });
  await turn();
  const ends = call.responses.flatMap(({ ended }) => ended);
  assert.deepEqual(
    ends.map(({ id, error }: Loose) => [id, error.code]),
    [
      [2, 'INVALID_ARGUMENT'],
      [3, 'INVALID_ARGUMENT'],
    ],
  );
  assert.equal(call.status, undefined);
  assert.deepEqual([streams.watched.length, one.isCancelled], [1, false]);
  call.ask({ open: [{ id: 1, watch }] });
  assert.equal(call.status!.code, 3, 'an id that is in use is an error of the stream');
});

const WRONG: Readonly<Record<string, Loose>> = {
  'a watch without an id': { open: [{ id: 0, watch: { space: 'list', key: 'a', policy: 0 } }] },
  'a watch of nothing': { open: [{ id: 1, watch: null }] },
  'an id twice': {
    open: [1, 1].map((id) => ({ id, watch: { space: 'list', key: 'a', policy: 0 } })),
  },
  'too many questions at once': {
    heads: Array.from({ length: 17 }, (_, number) => ({ number, ids: [], timeoutMs: 0 })),
  },
  'credit that is no number': { creditBytes: 2 ** 60 },
};

for (const [what, request] of Object.entries(WRONG)) {
  test(`${what} ends the stream with INVALID_ARGUMENT`, () => {
    const { call, streams } = setUp();
    call.ask(request);
    assert.equal(call.status.code, 3);
    assert.ok(streams.watched.every(({ isCancelled }) => isCancelled));
  });
}
