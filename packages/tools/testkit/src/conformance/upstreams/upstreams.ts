// What every implementation of the Upstreams port must do: one suite, run on the driver for gRPC with a server of real
// services at the other end, and on the simulated port. Connections last and are quick while it runs.

import { testEnds } from './ends.js';
import { testOffers } from './offers.js';
import { testQuestions } from './questions.js';
import { testRoom } from './room.js';
import { scenariosOf } from './scenario.js';
import type { UpstreamsUnderTest } from './under-test.js';
import { testWatches } from './watches.js';

/** Defines the tests of the port for the implementation called `name`. */
export function testUpstreamsConformance(
  name: string,
  open: () => Promise<UpstreamsUnderTest>,
): void {
  const scenario = scenariosOf(name, open);
  testWatches(scenario);
  testQuestions(scenario);
  testRoom(scenario);
  testEnds(scenario);
  testOffers(scenario);
}
