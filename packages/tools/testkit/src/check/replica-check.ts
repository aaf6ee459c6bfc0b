// What must hold of replicas once everything is healed: whoever has a way to a node finds it, and nobody else believes to
// have one; live copies come to what the leader has, and linearizable reads show it.

import assert from 'node:assert/strict';
import { failure, type ReadMode, type ReadResult, type ReadValue } from '@deltabase/engine';
import type { Cluster } from '../cluster/cluster.js';
import { simulatedMember } from '../cluster/simulated-node.js';
import type { SimulatedReplica } from '../cluster/simulated-replica.js';
import type { TokenCluster } from '../cluster/token-cluster.js';

/** How long a healed replica may take to find its way, ms of virtual time; and to show what the leader has. */
const WAY_MS = 60_000;
const SHOW_MS = 60_000;
const READ_MS = 5000;
const LOOK_MS = 50;

/** Checks the replicas of a cluster that is healed. */
export function checkReplicas(tokens: TokenCluster): void {
  const { cluster } = tokens;
  const led = withWay(cluster);
  // Whoever keeps nothing that is used does not notice that its upstream is gone.
  for (const replica of cluster.replicas) readSoon(tokens, replica, 'nothing');
  cluster.simulation.pollUntil(
    () => cluster.replicas.every((replica) => isLive(replica) === led.has(replica.address)),
    LOOK_MS,
    WAY_MS,
  );
  cluster.simulation.pollUntil(() => areOffered(cluster), LOOK_MS, WAY_MS);
}

/** Every replica that offers itself to a node is known there, if there is room for it. */
function areOffered(cluster: Cluster): boolean {
  const offering = cluster.replicas.filter(({ offersItself }) => offersItself);
  return cluster.ids.every((id) => {
    if (!cluster.isUp(id)) return true;
    const engine = cluster.engine(id);
    const known = new Set(engine.status().replicas.map(({ name }) => name));
    if (known.size >= engine.config.limits.replicasMax) return true;
    const { clientAddress } = simulatedMember(id);
    // It offers itself to what it is configured with first.
    const expected = offering.filter(
      ({ upstreams, limits }) =>
        upstreams.includes(clientAddress) && upstreams.length <= limits.replicasMax,
    );
    return expected.every(({ name }) => known.has(name));
  });
}

/** Every replica that has a way to a node shows a document as the leader has it, or has no room for it. */
export function checkCopies(tokens: TokenCluster, key: string, copy: ReadValue): void {
  const { cluster } = tokens;
  const led = withWay(cluster);
  for (const replica of cluster.replicas) {
    if (!led.has(replica.address)) continue;
    for (const mode of [{ kind: 'linearizable' }, { kind: 'stale' }] as const) {
      const what = `${replica.name} shows ${key} as the leader has it, ${mode.kind}`;
      awaitEqual(tokens, { replica, key, copy, mode, what });
    }
  }
}

/** Addresses of replicas that have a way to a node that runs. */
function withWay(cluster: Cluster): Set<string> {
  const led = new Set(
    cluster.servers().flatMap(({ kind, address }) => (kind === 'node' ? [address] : [])),
  );
  for (let before = 0; before < led.size; ) {
    before = led.size;
    for (const { address, upstreams, isUp } of cluster.replicas) {
      if (isUp && upstreams.some((upstream) => led.has(upstream))) led.add(address);
    }
  }
  return led;
}

function isLive({ replica }: SimulatedReplica): boolean {
  return replica?.origin.live === true;
}

interface Awaited {
  readonly replica: SimulatedReplica;
  readonly key: string;
  readonly copy: ReadValue;
  readonly mode: ReadMode;
  readonly what: string;
}

/** Reads until the value is there; a linearizable read that gives a value gives the right one at once. */
function awaitEqual(tokens: TokenCluster, { replica, key, copy, mode, what }: Awaited): void {
  const { simulation } = tokens.cluster;
  const endMs = simulation.nowMs + SHOW_MS;
  for (let last: ReadResult | undefined; ; ) {
    assert.ok(simulation.nowMs < endMs, `${what}: it says ${said(last)}`);
    last = readNow(tokens, replica, key, mode);
    if (last.kind === 'value' && last.seq === copy.seq) {
      assert.equal(last.hash, copy.hash, what);
      return;
    }
    assert.ok(mode.kind === 'stale' || last.kind === 'failed', `${what}: it is at ${said(last)}`);
    if (last.kind === 'failed' && last.code === 'OVERLOADED') return;
    tokens.run(LOOK_MS);
  }
}

function said(result: ReadResult | undefined): string {
  if (result === undefined) return 'nothing';
  return result.kind === 'value' ? `seq ${result.seq}` : `${result.code}: ${result.message}`;
}

function readNow(
  tokens: TokenCluster,
  replica: SimulatedReplica,
  key: string,
  mode: ReadMode,
): ReadResult {
  const read = readSoon(tokens, replica, key, mode);
  tokens.until(() => read.result !== undefined);
  return read.result!;
}

function readSoon(
  { space }: TokenCluster,
  { replica, clock }: SimulatedReplica,
  key: string,
  mode: ReadMode = { kind: 'linearizable' },
): { readonly result: ReadResult | undefined } {
  const read: { result: ReadResult | undefined } = { result: undefined };
  if (replica === undefined) return { result: failure('UNAVAILABLE', 'it does not run') };
  const expiresMs = clock.monotonicMs + READ_MS;
  const request = { space, key, pointer: '', mode, atSeq: undefined, expiresMs };
  replica.read(request, (result) => {
    read.result = result;
  });
  return read;
}
