import {
  CALM_STREAMS,
  CREDIT_BYTES,
  type Follower,
  readPages,
  type ServedProcess,
  SimulatedUpstreams,
  Simulation,
  testUpstreamsConformance,
  type UpstreamsUnderTest,
} from '../../src/index.js';

/** A process that reads a history page by page, as the server does. */
function under(seed: number): UpstreamsUnderTest {
  const simulation = new Simulation(seed);
  const chance = simulation.random.fork('streams');
  const network = new SimulatedUpstreams({ simulation, chance, weather: { ...CALM_STREAMS } });
  const enter = (run: () => void): void => run();
  const follower: Follower = { name: 'r1', creditBytes: CREDIT_BYTES, enter };
  let count = 0;
  return {
    upstreams: network.of(follower),
    nowhere: 'nowhere:1',
    async serve(script) {
      const address = `process-${++count}:1`;
      const { streams, origin, limits } = script;
      const process: ServedProcess = {
        ...{ streams, origin, limits, enter },
        registry: script.registry,
        nodes: () => script.nodes(),
        nowMs: () => simulation.nowMs,
        readDeltas: (name, range, done) =>
          readPages((fromSeq, answer) => answer(script.history(name, fromSeq)), range, done),
      };
      network.serve(address, process);
      return address;
    },
    async stop(address) {
      network.unserve(address, () => 'at once');
    },
    async until(is) {
      simulation.runUntil(is);
    },
    async close() {},
  };
}

testUpstreamsConformance('the simulated upstreams', async () => under(1));
