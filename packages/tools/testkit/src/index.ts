// @deltabase/testkit: engines on simulated ports.

export { CommitTimes } from './check/commit-times.js';
export { ConfWitness, haveDisjointQuorums, type KnownLogs } from './check/conf-witness.js';
export { foldHistory } from './check/fold-history.js';
export { Freshness, type Question } from './check/freshness.js';
export {
  type CheckOptions,
  checkLinearizable,
  type Model,
  type Operation,
  type Verdict,
} from './check/linearizability.js';
export { MemoryBounds } from './check/memory-bounds.js';
export { type Call, Moments, OperationLog } from './check/operation-log.js';
export { RaftWitness } from './check/raft-witness.js';
export {
  type Register,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  registerModelFor,
} from './check/register.js';
export { RegisterHistory } from './check/register-history.js';
export { ShownLogWitness } from './check/shown-log-witness.js';
export { StoredLog, StoredLogs } from './check/stored-logs.js';
export { TokenHistory } from './check/token-history.js';
export { type ListInput, ListModel, type ListOutput, type TokenList } from './check/token-list.js';
export { ToldWitness } from './check/told-witness.js';
export {
  CALM,
  Cluster,
  type ClusterOptions,
  type Weather,
} from './cluster/cluster.js';
export { awaitChange, orderChange, orderTransfer, rolesIn } from './cluster/member-orders.js';
export { NodeClock, WALL_START_MS } from './cluster/node-clock.js';
export type { Server } from './cluster/server.js';
export { type ClientOptions, SimulatedClient } from './cluster/simulated-client.js';
export { type ClusterObserver, SimulatedNode, simulatedMember } from './cluster/simulated-node.js';
export {
  type ReplicaOptions,
  SimulatedReplica,
  simulatedReplicaAddress,
} from './cluster/simulated-replica.js';
export { type Sending, SimulatedSession } from './cluster/simulated-session.js';
export { SimulatedWatch, type SimulatedWatchOptions } from './cluster/simulated-watch.js';
export { TOKENS, TokenCluster, type TokenClusterOptions } from './cluster/token-cluster.js';
export { type DiskUnderTest, testDiskConformance } from './conformance/disk.js';
export { type NetworkUnderTest, testNetworkConformance } from './conformance/network.js';
export {
  CREDIT_BYTES,
  type ServedScript,
  type UpstreamsUnderTest,
} from './conformance/upstreams/under-test.js';
export { testUpstreamsConformance } from './conformance/upstreams/upstreams.js';
export { inspectRows } from './disk/inspect-rows.js';
export { MemoryDisk } from './disk/memory-disk.js';
export { LevelStorage, MemoryStorage, type NodeStorage } from './disk/node-storage.js';
export {
  type LevelImage,
  SIMULATED_RING_SLOTS,
  SimulatedLevel,
  type WriteFault,
} from './disk/simulated-level.js';
export { compareBytes, type Row, SortedMap } from './disk/sorted-map.js';
export { makeScriptMachines, type Script, type ScriptCall } from './machines/script-machines.js';
export {
  makeTokenMachines,
  TOKEN_MODULES,
  type TokenChannel,
  tokenIn,
} from './machines/token-machine.js';
export { makeWasmTokenMachines, tokenWasmModules } from './machines/token-wasm.js';
export type { LinkState } from './network/link.js';
export {
  CALM_NETWORK,
  type NetworkWeather,
  SimulatedNetwork,
  simulatedPeerAddress,
} from './network/simulated-network.js';
export { type Flow, LinkMesh } from './process/link-mesh.js';
export {
  freePorts,
  type Launch,
  type Link,
  ProcessCluster,
  type ProcessClusterOptions,
  ProcessNode,
} from './process/process-cluster.js';
export { ServingProcess } from './process/serving-process.js';
export { Silence } from './process/silence.js';
export { Coverage } from './sim/coverage.js';
export { FAULTS } from './sim/faults/index.js';
export { type Outcome, runSeed } from './sim/one-run.js';
export { commandOf, drawPlan, type Plan, type PlanChanges } from './sim/plan.js';
export { type PoolOptions, runSeeds } from './sim/pool.js';
export { failureLines, Report } from './sim/report.js';
export { type RunOptions, type RunResult, runPlan } from './sim/run.js';
export { type ShrinkOptions, type Shrunk, shrink } from './sim/shrink.js';
export { Simulation } from './sim/simulation.js';
export type { StreamWeather } from './upstream/pipe.js';
export { readPages } from './upstream/read-pages.js';
export type { ServedProcess } from './upstream/served-process.js';
export type { SimulatedConnection } from './upstream/simulated-connection.js';
export type { Follower, Learning, SimulatedStream } from './upstream/simulated-stream.js';
export { CALM_STREAMS, SimulatedUpstreams } from './upstream/simulated-upstreams.js';
