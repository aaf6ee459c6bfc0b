import {
  type NetworkUnderTest,
  SimulatedNetwork,
  Simulation,
  testNetworkConformance,
} from '../../src/index.js';

async function open(): Promise<NetworkUnderTest> {
  const simulation = new Simulation(1);
  const weather = { dropRate: 0, duplicateRate: 0, delayMsMax: 2 };
  const chance = simulation.random.fork('network');
  const network = new SimulatedNetwork({ simulation, weather, chance });
  return {
    start: async (node) => {
      const attached = network.attach(node);
      simulation.schedule(1, () => network.connect(node));
      return attached;
    },
    stop: async (node) => network.detach(node),
    until: async (is) => simulation.runUntil(is),
    close: async () => {},
  };
}

testNetworkConformance('the simulated network', open);
