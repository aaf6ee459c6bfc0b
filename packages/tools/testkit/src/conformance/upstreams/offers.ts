// Replicas that offer themselves: orders, reports, where the nodes are, and how an offer ends.

import assert from 'node:assert/strict';
import { type CopyReport, failure } from '@deltabase/engine';
import { Offering } from './offering.js';
import { docOf } from './records.js';
import type { Bench, Scenario } from './scenario.js';

export function testOffers(scenario: Scenario): void {
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

/** Has a replica offer itself. */
async function offered({ under, served, address }: Bench) {
  const offering = new Offering(under.upstreams, address);
  await under.until(() => served.offers.length === 1);
  return { offering, offer: served.offers[0]! };
}
