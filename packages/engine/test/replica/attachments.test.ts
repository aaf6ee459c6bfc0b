import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import type { DocumentName } from '../../src/documents/document-name.js';
import { Attachments } from '../../src/replica/attachments.js';
import type { AttachListener, CopyReport, ReplicaPlace } from '../../src/replica/replica-ports.js';
import { failure } from '../../src/results.js';

interface Link {
  readonly address: string;
  readonly place: ReplicaPlace;
  readonly listener: AttachListener;
  readonly reports: Array<readonly CopyReport[]>;
  isClosed: boolean;
}

const PLACE: ReplicaPlace = { name: 'r1', address: 'r:1' };
const NO_LOG = { debug() {}, info() {}, warn() {}, error() {} };

function doc(key: string): DocumentName {
  return { space: 'list', key };
}

class Bench {
  readonly links: Link[] = [];
  readonly held = new Set<string>();
  readonly attachments: Attachments;
  nowMs = 0;

  constructor(addresses: readonly string[], attachmentsMax = 10, ordersMax = 10) {
    const random = makePrng(1);
    this.attachments = new Attachments({
      ...{ addresses, attachmentsMax, ordersMax, log: NO_LOG },
      place: PLACE,
      upstreams: {
        attach: (address, place, listener) => {
          const link: Link = { address, place, listener, reports: [], isClosed: false };
          this.links.push(link);
          return {
            report: (copies) => void link.reports.push(copies),
            close() {
              link.isClosed = true;
            },
          };
        },
      },
      clock: { monotonicMs: () => this.nowMs },
      random: { next: () => random.next() },
      inTurn: (step) => step(),
      hold: ({ key }) => void this.held.add(key),
      release: ({ key }) => void this.held.delete(key),
      reportOf: (name) => ({
        ...{ ready: this.held.has(name.key), readsPerSecond: 1 },
        ...{ deliveriesPerSecond: 2, bytesPerSecond: 3 },
        ...name,
      }),
    });
  }

  /** Lets time pass, a tick at a time. */
  pass(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 100;
      this.attachments.tick(this.nowMs);
    }
  }

  /** The latest link to an address. */
  link(address: string): Link {
    return this.links.findLast((link) => link.address === address)!;
  }

  lose(address: string): void {
    this.link(address).listener.closed(failure('UNAVAILABLE', 'gone'));
  }
}

test('a replica offers itself to each address, and to the nodes that it is told of, once', () => {
  const bench = new Bench(['a:1', 'b:1']);
  bench.pass(100);
  assert.deepEqual(
    bench.links.map(({ address, place }) => [address, place]),
    [
      ['a:1', PLACE],
      ['b:1', PLACE],
    ],
  );
  bench.link('a:1').listener.nodes(['a:1', 'b:1', 'c:1']);
  bench.link('b:1').listener.nodes(['c:1']);
  bench.pass(100);
  assert.deepEqual(
    bench.links.map(({ address }) => address),
    ['a:1', 'b:1', 'c:1'],
  );
  assert.equal(bench.attachments.count, 3);
});

test('what any has ordered is held, until none has it ordered any more', () => {
  const bench = new Bench(['a:1', 'b:1']);
  bench.pass(100);
  bench.link('a:1').listener.ordered([doc('x'), doc('y')], []);
  bench.link('b:1').listener.ordered([doc('x')], []);
  bench.link('b:1').listener.ordered([doc('x')], []);
  assert.deepEqual([...bench.held], ['x', 'y']);
  bench.link('a:1').listener.ordered([], [doc('x'), doc('y'), doc('z')]);
  assert.deepEqual([...bench.held], ['x']);
  bench.link('b:1').listener.ordered([], [doc('x')]);
  assert.deepEqual([...bench.held], []);
  assert.equal(bench.attachments.orders, 0);
});

test('each is told of what it has ordered, at once and then twice a second', () => {
  const bench = new Bench(['a:1', 'b:1']);
  bench.pass(100);
  bench.link('a:1').listener.ordered([doc('x')], []);
  bench.pass(100);
  const keys = ({ reports }: Link) => reports.map((copies) => copies.map(({ key }) => key).join());
  assert.deepEqual(keys(bench.link('a:1')), ['', 'x']);
  assert.deepEqual(keys(bench.link('b:1')), ['', '']);
  bench.pass(2000);
  assert.equal(bench.link('a:1').reports.length, 6);
  const [report] = bench.link('a:1').reports.at(-1)!;
  assert.deepEqual([report!.ready, report!.readsPerSecond], [true, 1]);
});

test('orders of a process that is lost stay for a while, and it is tried again', () => {
  const bench = new Bench(['a:1']);
  bench.pass(100);
  bench.link('a:1').listener.ordered([doc('x')], []);
  bench.lose('a:1');
  assert.ok(bench.link('a:1').isClosed);
  assert.equal(bench.attachments.count, 0);
  for (let ms = 0; ms < 9000; ms += 100) {
    bench.pass(100);
    if (bench.attachments.count > 0) bench.lose('a:1');
    // A new link has no orders of the one before: it orders again.
  }
  assert.ok(bench.links.length > 3 && bench.links.length < 20, String(bench.links.length));
});

test('an order of a link that has ended counts for nothing', () => {
  const bench = new Bench(['a:1']);
  bench.pass(100);
  const old = bench.link('a:1');
  bench.lose('a:1');
  bench.pass(1000);
  assert.notEqual(bench.link('a:1'), old);
  old.listener.ordered([doc('x')], []);
  assert.deepEqual([...bench.held], []);
});

test('a node that nobody speaks of any more is forgotten, a configured address never', () => {
  const bench = new Bench(['a:1']);
  bench.pass(100);
  bench.link('a:1').listener.nodes(['c:1']);
  bench.pass(100_000);
  assert.equal(bench.links.length, 2, 'as long as it lasts it is kept');
  bench.lose('c:1');
  bench.lose('a:1');
  for (let ms = 0; ms < 200_000; ms += 100) {
    bench.pass(100);
    for (const address of ['a:1', 'c:1']) {
      if (!bench.link(address).isClosed) bench.lose(address);
    }
  }
  const { links } = bench;
  const last = (address: string): number => links.findLastIndex((link) => link.address === address);
  assert.ok(last('a:1') > last('c:1') + 10);
});

test('it attaches to so many, and takes so many orders of each', () => {
  const bench = new Bench(['a:1'], 2, 3);
  bench.pass(100);
  bench.link('a:1').listener.nodes(['b:1', 'c:1', 'd:1']);
  bench.link('a:1').listener.ordered(
    [1, 2, 3, 4, 5].map((n) => doc(String(n))),
    [],
  );
  bench.pass(100);
  assert.equal(bench.attachments.count, 2);
  assert.deepEqual([...bench.held], ['1', '2', '3']);
});

test('a replica that ends closes its offers', () => {
  const bench = new Bench(['a:1', 'b:1']);
  bench.pass(100);
  bench.attachments.close();
  assert.ok(bench.links.every(({ isClosed }) => isClosed));
});
