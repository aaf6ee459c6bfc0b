// @deltabase/testkit: engines on simulated ports.

export { Cluster, type ClusterOptions, WALL_START_MS, type Weather } from './cluster.js';
export { type DiskUnderTest, testDiskConformance } from './conformance/disk.js';
export { type NetworkUnderTest, testNetworkConformance } from './conformance/network.js';
export { foldHistory } from './fold-history.js';
export { MemoryDisk } from './memory-disk.js';
export { ProcessCluster, type ProcessClusterOptions, ProcessNode } from './process-cluster.js';
export { RaftWitness } from './raft-witness.js';
export { type RandomRunOptions, type RandomRunResult, randomRun } from './random-run.js';
export { makeScriptMachines, type Script, type ScriptCall } from './script-machines.js';
export { type ClientOptions, type Sending, SimulatedClient } from './simulated-client.js';
export { type NetworkWeather, SimulatedNetwork } from './simulated-network.js';
export { SimulatedWatch, type SimulatedWatchOptions } from './simulated-watch.js';
export { Simulation } from './simulation.js';
export { SortedMap } from './sorted-map.js';
export { TOKENS, TokenCluster, type TokenClusterOptions } from './token-cluster.js';
export { TokenHistory } from './token-history.js';
export { makeTokenMachines, TOKEN_MODULES, type TokenChannel, tokenIn } from './token-machine.js';
