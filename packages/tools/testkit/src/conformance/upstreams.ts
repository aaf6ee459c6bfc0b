// What every implementation of the Upstreams port must do: one suite, run on the driver for gRPC with a server of real
// services at the other end, and on the simulated port. Connections last and are quick while it runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import {
  type Attached,
  type AttachLink,
  type AttachListener,
  type CopyReport,
  type DocumentName,
  type DocumentStreams,
  type Failure,
  failure,
  type HeadsRequest,
  type HeadsResult,
  type OrdersSink,
  type Origin,
  type OriginFeed,
  type ReplicaPlace,
  type ReplicaRegistry,
  recordOf,
  type TailDelta,
  type Upstream,
  type UpstreamListener,
  type Upstreams,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from '@deltabase/engine';
import { type DeltaRecord, encodeRecord } from '@deltabase/machine';

/** What a process at the other end serves. */
export interface ServedScript {
  readonly streams: DocumentStreams;
  readonly registry: ReplicaRegistry;
  readonly origin: OriginFeed;
  readonly limits: Limits;
  /** Where clients reach the nodes of the cluster, host:port. */
  nodes(): readonly string[];
  /** A page of a document's history. */
  history(
    name: { readonly space: string; readonly key: string },
    fromSeq: number,
  ): readonly DeltaRecord[] | Failure;
}

/** Followers and processes to follow, and time that passes. */
export interface UpstreamsUnderTest {
  /** What a replica connects by; it grants `CREDIT_BYTES`. */
  readonly upstreams: Upstreams;
  /** Begins a process; returns its address. */
  serve(script: ServedScript): Promise<string>;
  /** Ends it, as the end of the process would. */
  stop(address: string): Promise<void>;
  /** An address where nobody is. */
  readonly nowhere: string;
  /** Lets time pass until `is` holds; throws if that takes too long. */
  until(is: () => boolean): Promise<void>;
  /** Ends everything. */
  close(): Promise<void>;
}

/** What may be on its way to a follower of this suite, bytes. */
export const CREDIT_BYTES = 64 * 1024;

/** A watch as the process at the other end sees it. */
interface ServedWatch {
  readonly request: WatchRequest;
  readonly sink: WatchSink;
  resumes: number;
}

/** An offer as the process at the other end sees it. */
interface ServedOffer {
  readonly place: ReplicaPlace;
  readonly sink: OrdersSink;
  readonly reports: Array<readonly CopyReport[]>;
  isDetached: boolean;
}

/** A process whose documents do what the test says. */
class Served implements DocumentStreams, ReplicaRegistry, ServedScript {
  readonly limits: Limits = {
    ...DEFAULT_LIMITS,
    watchesPerStreamMax: 2,
  };
  readonly streams = this;
  readonly registry = this;
  readonly offers: ServedOffer[] = [];
  nodeAddresses: readonly string[] = [];
  readonly watches: ServedWatch[] = [];
  readonly questions: Array<{
    readonly request: HeadsRequest;
    readonly answer: (result: HeadsResult | Failure) => void;
  }> = [];
  /** What was begun and cancelled, in order. */
  readonly events: string[] = [];
  /** History by key. */
  readonly records = new Map<string, readonly DeltaRecord[] | Failure>();
  #current: Origin = { via: ['r7'], live: true };
  readonly #listeners = new Set<() => void>();

  readonly origin: OriginFeed = (() => {
    const self = this;
    return {
      get current() {
        return self.#current;
      },
      listen(listener: () => void) {
        self.#listeners.add(listener);
        return () => self.#listeners.delete(listener);
      },
    };
  })();

  watch(request: WatchRequest, sink: WatchSink): Watch {
    const watch: ServedWatch = { request, sink, resumes: 0 };
    this.watches.push(watch);
    this.events.push(`watch ${request.key}`);
    return {
      resume: () => watch.resumes++,
      cancel: () => void this.events.push(`cancel ${request.key}`),
    };
  }

  heads(request: HeadsRequest, answer: (result: HeadsResult | Failure) => void): void {
    this.questions.push({ request, answer });
  }

  attach(place: ReplicaPlace, sink: OrdersSink): Attached {
    const offer: ServedOffer = { place, sink, reports: [], isDetached: false };
    this.offers.push(offer);
    return {
      report: (copies) => void offer.reports.push(copies),
      detach() {
        offer.isDetached = true;
      },
    };
  }

  nodes(): readonly string[] {
    return this.nodeAddresses;
  }

  read(): void {
    throw new Error('nobody reads here');
  }

  history({ key }: { readonly key: string }, fromSeq: number): readonly DeltaRecord[] | Failure {
    const records = this.records.get(key) ?? [];
    if ('code' in records) return records;
    return records.slice(fromSeq - 1, fromSeq + 1);
  }

  tellOrigin(origin: Origin): void {
    this.#current = origin;
    for (const listener of this.#listeners) listener();
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }
}

/** What a follower is told on a connection. */
class Follower implements UpstreamListener {
  /** In its order, in a word each. */
  readonly told: string[] = [];
  readonly deltas: TailDelta[] = [];
  readonly pieces: Uint8Array[] = [];
  readonly failures: Failure[] = [];
  readonly upstream: Upstream;
  /** A call into the port is under way: it must not call back then. */
  #isCalling = false;

  constructor(upstreams: Upstreams, address: string) {
    this.#isCalling = true;
    this.upstream = upstreams.connect(address, this);
    this.#isCalling = false;
  }

  call(run: (upstream: Upstream) => void): void {
    this.#isCalling = true;
    run(this.upstream);
    this.#isCalling = false;
  }

  readDeltas(
    key: string,
    fromSeq: number,
    bytesMax: number,
  ): Array<readonly TailDelta[] | Failure> {
    const answers: Array<readonly TailDelta[] | Failure> = [];
    this.call((upstream) =>
      upstream.readDeltas({ space: 'log', key }, { fromSeq, bytesMax }, (deltas) => {
        assert(!this.#isCalling, 'deltas were given from inside a call');
        answers.push(deltas);
      }),
    );
    return answers;
  }

  origin(via: readonly string[], live: boolean): void {
    this.#tell(`origin ${via} ${live}`);
  }

  state(id: number, seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.pieces.push(piece);
    this.#tell(`state ${id} ${seq} ${piece.length} ${hash}`);
  }

  delta(id: number, delta: TailDelta): void {
    this.deltas.push(delta);
    this.#tell(`delta ${id} ${delta.seq}`);
  }

  ended(id: number, why: Failure): void {
    this.failures.push(why);
    this.#tell(`ended ${id} ${why.code}`);
  }

  heads(number: number, seqs: readonly number[] | Failure): void {
    this.#tell(`heads ${number} ${'code' in seqs ? seqs.code : seqs}`);
  }

  closed(why: Failure): void {
    this.failures.push(why);
    this.#tell(`closed ${why.code}`);
  }

  #tell(what: string): void {
    assert(!this.#isCalling, `${what} was told from inside a call`);
    this.told.push(what);
  }
}

/** What a replica is told that has offered itself. */
class Offering implements AttachListener {
  /** In its order, in a word each. */
  readonly told: string[] = [];
  readonly link: AttachLink;
  #isCalling = true;

  constructor(upstreams: Upstreams, address: string) {
    this.link = upstreams.attach(address, { name: 'r1', address: '127.0.0.1:7' }, this);
    this.#isCalling = false;
  }

  call(run: (link: AttachLink) => void): void {
    this.#isCalling = true;
    run(this.link);
    this.#isCalling = false;
  }

  ordered(hold: readonly DocumentName[], release: readonly DocumentName[]): void {
    this.#tell(`hold ${keysOf(hold)} release ${keysOf(release)}`);
  }

  nodes(addresses: readonly string[]): void {
    this.#tell(`nodes ${addresses}`);
  }

  closed(why: Failure): void {
    this.#tell(`closed ${why.code}`);
  }

  #tell(what: string): void {
    assert(!this.#isCalling, `${what} was told from inside a call`);
    this.told.push(what);
  }
}

interface Bench {
  readonly under: UpstreamsUnderTest;
  readonly served: Served;
  /** Follows `served`, and was told where that is. */
  readonly follower: Follower;
  readonly address: string;
}

/** Defines the tests of the port for the implementation called `name`. */
export function testUpstreamsConformance(
  name: string,
  open: () => Promise<UpstreamsUnderTest>,
): void {
  const scenario = (what: string, run: (bench: Bench) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const under = await open();
      try {
        const served = new Served();
        const address = await under.serve(served);
        const follower = new Follower(under.upstreams, address);
        await under.until(() => follower.told.length > 0);
        assert.deepEqual(follower.told.splice(0), ['origin r7 true']);
        await run({ under, served, follower, address });
      } finally {
        await under.close();
      }
    });
  };

  /** Has the follower watch document `k`. */
  const watched = async ({ under, served, follower }: Bench): Promise<ServedWatch> => {
    follower.call((upstream) => upstream.watch(1, { space: 'log', key: 'k' }, undefined));
    await under.until(() => served.watches.length === 1);
    return served.watches[0]!;
  };

  scenario(
    'where things come from is told first, and on change',
    async ({ under, served, follower }) => {
      served.tellOrigin({ via: ['r7', 'r8'], live: false });
      served.tellOrigin({ via: [], live: true });
      await under.until(() => follower.told.at(-1) === 'origin  true');
    },
  );

  scenario(
    'a watch is asked for as it is, with its state or behind a seq',
    async ({ under, served, follower }) => {
      follower.call((upstream) => {
        upstream.watch(1, { space: 'log', key: 'a/b c' }, undefined);
        upstream.watch(2, { space: 'log', key: 'k' }, 0);
        upstream.unwatch(1);
        upstream.watch(3, { space: 'other', key: 'ü' }, 2 ** 40);
      });
      await under.until(() => served.watches.length === 3);
      const requests = served.watches.map(({ request: { space, key, afterSeq, policy } }) => {
        assert.ok(policy === undefined || policy.kind === 'every');
        return [space, key, afterSeq];
      });
      assert.deepEqual(requests, [
        ['log', 'a/b c', undefined],
        ['log', 'k', 0],
        ['other', 'ü', 2 ** 40],
      ]);
    },
  );

  scenario('what is asked for takes effect in its order', async ({ under, served, follower }) => {
    follower.call((upstream) => {
      upstream.watch(1, { space: 'log', key: 'a' }, undefined);
      upstream.watch(2, { space: 'log', key: 'b' }, undefined);
      upstream.unwatch(1);
      upstream.watch(3, { space: 'log', key: 'c' }, undefined);
      upstream.unwatch(3);
      upstream.watch(4, { space: 'log', key: 'd' }, undefined);
    });
    await under.until(() => served.events.length === 6);
    assert.deepEqual(served.events, [
      'watch a',
      'watch b',
      'cancel a',
      'watch c',
      'cancel c',
      'watch d',
    ]);
    assert.deepEqual(follower.told, []);
  });

  scenario(
    'states and deltas come whole and in their order',
    async ({ under, served, follower, address }) => {
      const { sink } = await watched({ under, served, follower, address });
      const large = bytes(200_000, 7);
      sink.state(5, bytes(10, 1), undefined);
      sink.state(5, large, undefined);
      sink.state(5, bytes(0, 1), 'abc');
      for (let seq = 6; seq <= 8; seq++) sink.delta(deltaOf(recordAt(seq)));
      sink.flush();
      await under.until(() => follower.deltas.length === 3);
      assert.deepEqual(follower.told, [
        'state 1 5 10 undefined',
        'state 1 5 200000 undefined',
        'state 1 5 0 abc',
        ...['delta 1 6', 'delta 1 7', 'delta 1 8'],
      ]);
      assert.deepEqual(Buffer.from(follower.pieces[1]!), Buffer.from(large));
    },
  );

  scenario(
    'of a delta comes what watchers are told',
    async ({ under, served, follower, address }) => {
      const { sink } = await watched({ under, served, follower, address });
      const sent = recordAt(9, { patch: bytes(70_000, 5) });
      sink.delta(deltaOf(sent));
      await under.until(() => follower.deltas.length === 1);
      assert.deepEqual(toldOf(recordOf(follower.deltas[0]!)), toldOf(sent));
      assert.ok(follower.deltas[0]!.bytes.length >= 70_000);
    },
  );

  scenario('watches do not get into each other', async ({ under, served, follower }) => {
    follower.call((upstream) => {
      upstream.watch(7, { space: 'log', key: 'a' }, 0);
      upstream.watch(9, { space: 'log', key: 'b' }, 0);
    });
    await under.until(() => served.watches.length === 2);
    const [a, b] = served.watches;
    for (let seq = 1; seq <= 3; seq++) {
      a!.sink.delta(deltaOf(recordAt(seq)));
      b!.sink.delta(deltaOf(recordAt(seq)));
    }
    await under.until(() => follower.told.length === 6);
    assert.deepEqual(
      follower.told.filter((it) => it.startsWith('delta 7')),
      ['delta 7 1', 'delta 7 2', 'delta 7 3'],
    );
    assert.deepEqual(
      follower.told.filter((it) => it.startsWith('delta 9')),
      ['delta 9 1', 'delta 9 2', 'delta 9 3'],
    );
  });

  scenario(
    'a watch that ends is told with why, behind what it gave',
    async ({ under, served, follower, address }) => {
      const { sink } = await watched({ under, served, follower, address });
      sink.delta(deltaOf(recordAt(1)));
      sink.end(failure('HISTORY_GONE', 'it begins at 5'));
      await under.until(() => follower.told.length === 2);
      assert.deepEqual(follower.told, ['delta 1 1', 'ended 1 HISTORY_GONE']);
      assert.match(follower.failures[0]!.message, /it begins at 5/);
    },
  );

  scenario(
    'a watch that is not wanted any more is cancelled, and others go on',
    async ({ under, served, follower }) => {
      follower.call((upstream) => {
        upstream.watch(1, { space: 'log', key: 'a' }, 0);
        upstream.watch(2, { space: 'log', key: 'b' }, 0);
        upstream.unwatch(1);
      });
      await under.until(() => served.events.length === 3);
      assert.deepEqual(served.events, ['watch a', 'watch b', 'cancel a']);
      served.watches[1]!.sink.delta(deltaOf(recordAt(1)));
      await under.until(() => follower.told.length === 1);
      assert.deepEqual(follower.told, ['delta 2 1']);
    },
  );

  scenario(
    'heads are asked for by the ids of watches, and answered in their order',
    async ({ under, served, follower }) => {
      follower.call((upstream) => {
        upstream.watch(1, { space: 'log', key: 'a' }, 0);
        upstream.watch(2, { space: 'log', key: 'b' }, 0);
        upstream.askHeads(5, [2, 1], 3000);
        upstream.askHeads(6, [1], 3000);
      });
      await under.until(() => served.questions.length === 2);
      const [first, second] = served.questions;
      assert.deepEqual(
        first!.request.names.map(({ key }) => key),
        ['b', 'a'],
      );
      second!.answer(failure('UNAVAILABLE', 'no leader'));
      first!.answer({ kind: 'heads', seqs: [0, 2 ** 40] });
      await under.until(() => follower.told.length === 2);
      assert.deepEqual(follower.told, ['heads 6 UNAVAILABLE', `heads 5 0,${2 ** 40}`]);
    },
  );

  scenario(
    'a question about a watch that there is not is answered with that',
    async ({ under, served, follower, address }) => {
      await watched({ under, served, follower, address });
      follower.call((upstream) => upstream.askHeads(1, [1, 4], 3000));
      await under.until(() => follower.told.length === 1);
      assert.deepEqual(follower.told, ['heads 1 INVALID_ARGUMENT']);
      assert.equal(served.questions.length, 0);
    },
  );

  scenario(
    'no more is on its way than the follower has room for, and all of it comes',
    async ({ under, served, follower, address }) => {
      const watch = await watched({ under, served, follower, address });
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

  scenario(
    'who waits until everything has left is told when it has',
    async ({ under, served, follower, address }) => {
      const watch = await watched({ under, served, follower, address });
      const { sink } = watch;
      await under.until(() => sink.idle);
      const { resumes } = watch;
      sink.delta(deltaOf(recordAt(1, { patch: bytes(10_000, 1) })));
      assert.equal(sink.idle, false);
      sink.flush();
      await under.until(() => watch.resumes > resumes);
      assert.ok(sink.idle);
    },
  );

  scenario(
    'deltas of a history are read from a seq on, about as many as are wanted',
    async ({ under, served, follower }) => {
      const records = Array.from({ length: 50 }, (_, at) =>
        recordAt(at + 1, { patch: bytes(1000, at) }),
      );
      served.records.set('k', records);
      const some = follower.readDeltas('k', 11, 5000);
      const one = follower.readDeltas('k', 50, 1);
      const none = follower.readDeltas('k', 51, 1);
      await under.until(() => [some, one, none].every(({ length }) => length === 1));
      const seqs = (answers: typeof some): number[] =>
        (answers[0] as TailDelta[]).map(({ seq }) => seq);
      const expected = Array.from({ length: seqs(some).length }, (_, at) => 11 + at);
      assert.deepEqual(seqs(some), expected);
      assert.ok(expected.length >= 5 && expected.length <= 20, String(expected));
      assert.deepEqual(toldOf(recordOf((some[0] as TailDelta[])[0]!)), toldOf(records[10]!));
      assert.deepEqual([seqs(one), seqs(none)], [[50], []]);
    },
  );

  scenario('why there are no deltas is told', async ({ under, served, follower }) => {
    served.records.set('k', failure('HISTORY_GONE', 'it begins at 9'));
    const answers = follower.readDeltas('k', 1, 100);
    await under.until(() => answers.length === 1);
    const [why] = answers as [Failure];
    assert.equal(why.code, 'HISTORY_GONE');
    assert.match(why.message, /it begins at 9/);
  });

  scenario('more watches than a stream may have end it', async ({ under, served, follower }) => {
    follower.call((upstream) => {
      for (let id = 1; id <= 3; id++) upstream.watch(id, { space: 'log', key: `k${id}` }, 0);
    });
    await under.until(() => follower.told.length === 1);
    assert.deepEqual(follower.told, ['closed INVALID_ARGUMENT']);
    await under.until(() => served.events.length === 4);
    assert.deepEqual(served.events.slice(2), ['cancel k1', 'cancel k2']);
  });

  scenario(
    'a follower that closes hears nothing more, and its watches end',
    async ({ under, served, follower, address }) => {
      const { sink } = await watched({ under, served, follower, address });
      const answers = follower.readDeltas('k', 1, 100);
      follower.call((upstream) => upstream.close());
      sink.delta(deltaOf(recordAt(1)));
      await under.until(() => served.events.length === 2);
      assert.deepEqual(served.events, ['watch k', 'cancel k']);
      await under.until(() => served.listenerCount === 0);
      // What was being read is answered all the same: somebody waits for it.
      await under.until(() => answers.length === 1);
      assert.deepEqual(follower.told, []);
    },
  );

  scenario(
    'the end of the process is told once, and ends what is under way',
    async ({ under, served, follower, address }) => {
      await watched({ under, served, follower, address });
      await under.stop(address);
      await under.until(() => follower.told.some((it) => it.startsWith('closed')));
      // Whoever follows may not have got round to it, and asks for more.
      const answers = follower.readDeltas('k', 1, 100);
      follower.call((upstream) => {
        upstream.unwatch(1);
        upstream.watch(2, { space: 'log', key: 'k' }, undefined);
        upstream.askHeads(1, [2], 3000);
      });
      await under.until(() => answers.length === 1);
      assert.equal((answers[0] as Failure).code, 'UNAVAILABLE');
      follower.call((upstream) => upstream.close());
      assert.equal(follower.told.at(-1), 'closed UNAVAILABLE');
      assert.equal(follower.told.filter((it) => it.startsWith('closed')).length, 1);
    },
  );

  scenario('where nobody is nothing begins', async ({ under }) => {
    const lost = new Follower(under.upstreams, under.nowhere);
    lost.call((upstream) => upstream.watch(1, { space: 'log', key: 'k' }, undefined));
    await under.until(() => lost.told.length > 0);
    assert.deepEqual(lost.told, ['closed UNAVAILABLE']);
  });

  /** Has a replica offer itself. */
  const offered = async ({ under, served, address }: Bench) => {
    const offering = new Offering(under.upstreams, address);
    await under.until(() => served.offers.length === 1);
    return { offering, offer: served.offers[0]! };
  };

  scenario('a replica that offers itself is taken for who and where it is', async (bench) => {
    const { offering, offer } = await offered(bench);
    assert.deepEqual({ ...offer.place }, { name: 'r1', address: '127.0.0.1:7' });
    assert.deepEqual(offering.told, []);
  });

  scenario('orders come in their order', async (bench) => {
    const { offering, offer } = await offered(bench);
    offer.sink.ordered([docOf('a'), docOf('b')], []);
    offer.sink.ordered([docOf('ü/c')], [docOf('a')]);
    offer.sink.ordered([], [docOf('b')]);
    await bench.under.until(() => offering.told.length === 3);
    assert.deepEqual(offering.told, [
      ...['hold a,b release ', 'hold ü/c release a', 'hold  release b'],
    ]);
  });

  scenario('what a replica says of its copies comes to who ordered them', async (bench) => {
    const { offering, offer } = await offered(bench);
    const rates = { readsPerSecond: 1.5, deliveriesPerSecond: 0, bytesPerSecond: 1e9 };
    const copies: CopyReport[] = [
      { ...docOf('a'), ready: true, ...rates },
      { ...docOf('b'), ready: false, ...rates },
    ];
    offering.call((link) => link.report(copies));
    await bench.under.until(() => offer.reports.length === 1);
    assert.deepEqual(
      offer.reports[0]!.map((copy) => ({ ...copy })),
      copies,
    );
    offering.call((link) => link.report([]));
    await bench.under.until(() => offer.reports.length === 2);
    assert.deepEqual(offer.reports[1], []);
  });

  scenario('where the nodes are is told, and again when that changes', async (bench) => {
    bench.served.nodeAddresses = ['a:1', 'b:2'];
    const { offering, offer } = await offered(bench);
    await bench.under.until(() => offering.told.length === 1);
    offering.call((link) => link.report([]));
    await bench.under.until(() => offer.reports.length === 1);
    bench.served.nodeAddresses = ['a:1', 'c:3'];
    offering.call((link) => link.report([]));
    await bench.under.until(() => offering.told.length === 2);
    assert.deepEqual(offering.told, ['nodes a:1,b:2', 'nodes a:1,c:3']);
  });

  scenario(
    'an offer that is not taken any more ends with why, behind its orders',
    async (bench) => {
      const { offering, offer } = await offered(bench);
      offer.sink.ordered([docOf('a')], []);
      offer.sink.ended(failure('OVERLOADED', 'too many'));
      await bench.under.until(() => offering.told.length === 2);
      assert.deepEqual(offering.told, ['hold a release ', 'closed OVERLOADED']);
    },
  );

  scenario(
    'a replica that takes its offer back is let go of, and hears nothing more',
    async (bench) => {
      const { offering, offer } = await offered(bench);
      offering.call((link) => link.close());
      offer.sink.ordered([docOf('a')], []);
      await bench.under.until(() => offer.isDetached);
      offering.call((link) => link.report([]));
      assert.deepEqual(offering.told, []);
    },
  );

  scenario('the end of the process ends an offer, once', async (bench) => {
    const { offering } = await offered(bench);
    await bench.under.stop(bench.address);
    await bench.under.until(() => offering.told.length > 0);
    offering.call((link) => link.report([]));
    offering.call((link) => link.close());
    assert.deepEqual(offering.told, ['closed UNAVAILABLE']);
  });

  scenario('an offer to nobody ends', async ({ under }) => {
    const offering = new Offering(under.upstreams, under.nowhere);
    await under.until(() => offering.told.length > 0);
    assert.deepEqual(offering.told, ['closed UNAVAILABLE']);
  });
}

function docOf(key: string): DocumentName {
  return { space: 'log', key };
}

function keysOf(names: readonly DocumentName[]): string {
  return names.map(({ space, key }) => (space === 'log' ? key : `${space}/${key}`)).join();
}

function recordAt(seq: number, changes: Partial<DeltaRecord> = {}): DeltaRecord {
  return {
    space: 'log',
    key: 'k',
    seq,
    session: 'c1',
    openedAt: 1_700_000_000_000,
    number: seq,
    settled: 1,
    principal: 'tests',
    channel: 'append',
    payload: bytes(3, 1),
    time: 1_700_000_000_005,
    seed: 2 ** 32 - 1,
    version: 3,
    patch: bytes(20, seq % 256),
    reply: undefined,
    effects: [],
    fuel: 12,
    hash: `hash ${seq}`,
    snapshotAdvised: false,
    ...changes,
  };
}

function deltaOf(record: DeltaRecord): TailDelta {
  return { seq: record.seq, bytes: encodeRecord(record).slice(), record, encoded: undefined };
}

/** What of a record is told to watchers. */
function toldOf({ session, number, ...record }: DeltaRecord): unknown[] {
  const { seq, patch, hash, time, channel, payload, principal, version, fuel, seed } = record;
  const contents = [Buffer.from(patch).toString('hex'), Buffer.from(payload).toString('hex')];
  return [seq, hash, time, channel, principal, session, number, version, fuel, seed, ...contents];
}

function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}
