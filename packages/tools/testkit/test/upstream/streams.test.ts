import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import {
  type DocumentStreams,
  type Failure,
  NODE_ORIGIN,
  type ReplicaRegistry,
  type TailDelta,
  type Upstream,
  type WatchSink,
} from '@deltabase/engine';
import {
  CALM_STREAMS,
  type Follower,
  type Learning,
  type ServedProcess,
  type SimulatedStream,
  SimulatedUpstreams,
  Simulation,
} from '../../src/index.js';

/** One follower and one process that serves, whose only watch gives what the test says. */
class Bench {
  readonly simulation = new Simulation(3);
  readonly weather = { ...CALM_STREAMS };
  readonly network = new SimulatedUpstreams({
    simulation: this.simulation,
    chance: this.simulation.random.fork('streams'),
    weather: this.weather,
  });
  readonly told: string[] = [];
  readonly follower: Follower;
  readonly upstream: Upstream;
  sink: WatchSink | undefined;
  cancelled = 0;
  /** Whether the process that serves stands still, and what it has not got round to. */
  held: Array<() => void> | undefined;

  constructor() {
    this.follower = { name: 'r1', creditBytes: 10_000, enter: (run) => run() };
    this.network.serve('n1:1', this.#process());
    this.upstream = this.connect();
    this.simulation.runFor(10);
    assert.deepEqual(this.told.splice(0), ['origin']);
  }

  connect(): Upstream {
    return this.network.of(this.follower).connect('n1:1', {
      origin: () => void this.told.push('origin'),
      state: (_id, seq) => void this.told.push(`state ${seq}`),
      delta: (_id, { seq }) => void this.told.push(String(seq)),
      ended: (_id, { code }) => void this.told.push(`ended ${code}`),
      heads: () => {},
      closed: ({ code }) => void this.told.push(`closed ${code}`),
    });
  }

  /** Watches, and gives a delta for each seq. */
  give(...seqs: number[]): void {
    if (this.sink === undefined) {
      this.upstream.watch(1, { space: 'log', key: 'k' }, undefined);
      this.simulation.runFor(10);
    }
    for (const seq of seqs) this.sink!.delta(deltaOf(seq));
    this.sink!.flush();
  }

  get stream(): SimulatedStream {
    return this.network.streams[0]!;
  }

  #process(): ServedProcess {
    const streams: DocumentStreams = {
      read: () => ({ cancel() {} }),
      heads() {},
      watch: (_request, sink) => {
        this.sink = sink;
        return { resume() {}, carry() {}, cancel: () => this.cancelled++ };
      },
    };
    return {
      streams,
      registry: {} as ReplicaRegistry,
      origin: NODE_ORIGIN,
      limits: DEFAULT_LIMITS,
      nodes: () => [],
      nowMs: () => this.simulation.nowMs,
      enter: (run) => {
        if (this.held === undefined) run();
        else this.held.push(run);
      },
      readDeltas: (_name, _range, done) => done([deltaOf(1)]),
    };
  }
}

function deltaOf(seq: number): TailDelta {
  const record = {
    ...{ space: 'log', key: 'k', seq, session: 'c', openedAt: 1, number: seq, settled: 1 },
    ...{ principal: 'p', channel: 'c', payload: new Uint8Array(1), time: 1, seed: 1, version: 1 },
    ...{ patch: new Uint8Array(2), reply: undefined, effects: [], fuel: 1, hash: '0'.repeat(16) },
    snapshotAdvised: false,
  };
  return { seq, bytes: new Uint8Array(8), record, encoded: undefined };
}

test('what is on a stream that stalls comes later, all of it and in its order', () => {
  const bench = new Bench();
  bench.give();
  bench.stream.stall('down');
  bench.give(1, 2);
  bench.simulation.runFor(1000);
  bench.give(3);
  bench.simulation.runFor(1000);
  assert.deepEqual(bench.told, []);
  bench.stream.resume();
  bench.give(4);
  bench.simulation.runFor(100);
  assert.deepEqual(bench.told, ['1', '2', '3', '4']);
});

test('messages that are late hold back those behind them', () => {
  const bench = new Bench();
  Object.assign(bench.weather, { delayMsMax: 20, lateRate: 0.3 });
  const seqs = Array.from({ length: 50 }, (_, at) => at + 1);
  for (const seq of seqs) {
    bench.give(seq);
    bench.simulation.runFor(0.2);
  }
  bench.simulation.runFor(5000);
  assert.deepEqual(bench.told, seqs.map(String));
});

test('a stream that breaks loses what is on its way, and each end learns of that by itself', () => {
  const ends = (follower: Learning, server: Learning): string => {
    const bench = new Bench();
    bench.give(1);
    bench.stream.break({ follower, server });
    bench.give(2);
    bench.simulation.runFor(1);
    const [soonTold, soonCancelled] = [bench.told.join(), bench.cancelled];
    bench.simulation.runFor(10_000);
    return `${soonTold} ${soonCancelled}, ${bench.told.join()} ${bench.cancelled}`;
  };
  assert.equal(ends('at once', 'at once'), 'closed UNAVAILABLE 1, closed UNAVAILABLE 1');
  assert.equal(ends('late', 'never'), ' 0, closed UNAVAILABLE 0');
  assert.equal(ends('never', 'late'), ' 0,  1');
});

test('a process that ends is seen to, behind what it has said, or late, or never', () => {
  for (const [learning, told] of [
    ['at once', '1,closed UNAVAILABLE'],
    ['late', 'closed UNAVAILABLE'],
    ['never', ''],
  ] as const) {
    const bench = new Bench();
    bench.give(1);
    bench.network.unserve('n1:1', () => learning);
    bench.simulation.runFor(10_000);
    assert.equal(bench.told.join(), told, learning);
  }
});

test('a follower that ends hears nothing more, and its watches end where that is seen', () => {
  for (const [learning, cancelled] of [
    ['at once', 1],
    ['never', 0],
  ] as const) {
    const bench = new Bench();
    bench.give(1);
    bench.network.unfollow(bench.follower, () => learning);
    bench.simulation.runFor(10_000);
    assert.deepEqual([bench.told, bench.cancelled], [[], cancelled]);
  }
});

test('both ends know in the end: the stream is forgotten', () => {
  const bench = new Bench();
  bench.give(1);
  bench.network.unfollow(bench.follower, () => 'never');
  assert.equal(bench.network.streams.length, 1);
  bench.network.mendAll();
  assert.deepEqual([bench.network.streams.length, bench.cancelled], [0, 1]);
});

test('on a way that is cut nothing begins, and all goes on when it is mended', () => {
  const bench = new Bench();
  bench.give();
  bench.network.cut('r1', 'n1:1');
  bench.give(1);
  bench.connect();
  bench.simulation.runFor(1000);
  assert.deepEqual(bench.told, []);
  bench.network.mend('r1', 'n1:1');
  bench.simulation.runFor(10);
  assert.deepEqual(bench.told.sort(), ['1', 'origin']);
});

test('a process that stands still takes what comes once it goes on, and holds back what it says', () => {
  const bench = new Bench();
  bench.held = [];
  bench.upstream.watch(1, { space: 'log', key: 'k' }, undefined);
  bench.simulation.runFor(1000);
  assert.equal(bench.sink, undefined);
  const { held } = bench;
  bench.held = undefined;
  for (const run of held) run();
  assert.ok(bench.sink !== undefined);
});

test('a delta does not come as it should, once', () => {
  const bench = new Bench();
  let damaged = 0;
  bench.give();
  for (const damage of ['lost', 'doubled'] as const) {
    bench.network.connections[0]!.damageNext(damage, () => damaged++);
    bench.give(1, 2);
  }
  bench.simulation.runFor(100);
  assert.deepEqual(bench.told, ['2', '1', '1', '2']);
  assert.equal(damaged, 2);
});

test('where the history is gone no watch goes on behind a seq, and none of it is read', () => {
  const bench = new Bench();
  bench.network.setHistory('n1:1', 'gone');
  const answers: Array<readonly TailDelta[] | Failure> = [];
  const name = { space: 'log', key: 'k' };
  bench.upstream.watch(1, name, 5);
  bench.upstream.readDeltas(name, { fromSeq: 1, bytesMax: 9 }, (deltas) => answers.push(deltas));
  bench.simulation.runFor(100);
  assert.deepEqual(bench.told, ['ended HISTORY_GONE']);
  assert.equal((answers[0] as Failure).code, 'HISTORY_GONE');
  bench.network.setHistory('n1:1', 'kept');
  bench.upstream.watch(2, name, 5);
  bench.upstream.readDeltas(name, { fromSeq: 1, bytesMax: 9 }, (deltas) => answers.push(deltas));
  bench.simulation.runFor(100);
  assert.ok(bench.sink !== undefined);
  assert.equal((answers[1] as readonly TailDelta[]).length, 1);
});

test('a read that is never answered is given up', () => {
  const bench = new Bench();
  bench.held = [];
  const answers: Array<readonly TailDelta[] | Failure> = [];
  const range = { fromSeq: 1, bytesMax: 9 };
  bench.upstream.readDeltas({ space: 'log', key: 'k' }, range, (deltas) => answers.push(deltas));
  bench.simulation.runFor(9000);
  assert.equal(answers.length, 0);
  bench.simulation.runFor(2000);
  assert.equal((answers[0] as Failure).code, 'UNAVAILABLE');
});
