// @deltabase/testkit: engines on simulated ports.

export { Cluster, type ClusterOptions, type Weather } from './cluster.js';
export { type DiskUnderTest, testDiskConformance } from './conformance/disk.js';
export { type NetworkUnderTest, testNetworkConformance } from './conformance/network.js';
export { MemoryDisk } from './memory-disk.js';
export { ProcessCluster, type ProcessClusterOptions, ProcessNode } from './process-cluster.js';
export { makeScriptMachines, type Script, type ScriptCall } from './script-machines.js';
export { type NetworkWeather, SimulatedNetwork } from './simulated-network.js';
export { Simulation } from './simulation.js';
export { SortedMap } from './sorted-map.js';
