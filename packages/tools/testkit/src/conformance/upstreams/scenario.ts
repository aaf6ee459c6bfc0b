// A test of the suite: a process that serves, and a follower that was told where things come from.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Follower } from './follower.js';
import { docOf } from './records.js';
import { Served, type ServedWatch } from './served.js';
import type { UpstreamsUnderTest } from './under-test.js';

export interface Bench {
  readonly under: UpstreamsUnderTest;
  readonly served: Served;
  /** Follows `served`, and was told where that is. */
  readonly follower: Follower;
  readonly address: string;
}

/** Defines a test. */
export type Scenario = (what: string, run: (bench: Bench) => Promise<void>) => void;

/** Tests of the implementation called `name`. */
export function scenariosOf(name: string, open: () => Promise<UpstreamsUnderTest>): Scenario {
  return (what, run) => {
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
}

/** Has the follower watch document `k`. */
export async function watched({ under, served, follower }: Bench): Promise<ServedWatch> {
  follower.call((upstream) => upstream.watch(1, docOf('k'), undefined));
  await under.until(() => served.watches.length === 1);
  return served.watches[0]!;
}
