// @deltabase/testkit: engines on simulated ports.

export { Cluster, type ClusterOptions, type Weather } from './cluster.js';
export { type DiskUnderTest, testDiskConformance } from './conformance/disk.js';
export { MemoryDisk } from './memory-disk.js';
export { makeScriptMachines, type Script, type ScriptCall } from './script-machines.js';
export { Simulation } from './simulation.js';
export { SortedMap } from './sorted-map.js';
