import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { DeployResult } from '@deltabase/engine';
import { type DeltaRecord, decodeCommand, decodeRecord, recordAt } from '@deltabase/machine';
import {
  Cluster,
  makeScriptMachines,
  TOKEN_MODULES,
  TOKENS,
  TokenCluster,
} from '@deltabase/testkit';

/** What the log of a group says, in order: versions that become active, and versions that ran. */
function versionsIn(tokens: TokenCluster, node: number, group: number): string[] {
  const said: string[] = [];
  let from = 1;
  for (let isMore = true; isMore; ) {
    let count = -1;
    tokens.cluster.engine(node).readLog(group, from, (entries) => {
      count = entries.length;
      for (const { data, type } of entries) {
        if (type !== 'normal' || data.length === 0) continue;
        const command = decodeCommand(data);
        if (command.kind === 'activate') said.push(`activate ${command.version}`);
        else {
          for (const offset of command.offsets) {
            said.push(`ran ${decodeRecord(recordAt(data, offset)).version}`);
          }
        }
      }
      from = (entries.at(-1)?.index ?? 0) + 1;
    });
    tokens.until(() => count >= 0);
    isMore = count > 0;
  }
  return said;
}

test('a new version becomes active at one place in each group’s order, on every copy', () => {
  const limits = { flushIntervalMs: 1_000_000 };
  const tokens = new TokenCluster({ seed: 1, groups: 3, limits }).start();
  const client = tokens.client('c');
  const keys = Array.from({ length: 12 }, (_, at) => `k${at}`);
  const sendSome = (): void => {
    for (const key of keys) client.send(key, 'append');
    tokens.run(3);
  };
  for (let round = 0; round < 5; round++) sendSome();
  for (const module of [TOKEN_MODULES[1]!, TOKEN_MODULES[2]!]) {
    let result: DeployResult | undefined;
    const expiresMs = tokens.cluster.simulation.nowMs + 10_000;
    const request = {
      space: TOKENS,
      module,
      expectedVersion: undefined,
      principal: 'x',
      expiresMs,
    };
    tokens.cluster.engine(2).deploy(request, (deployed) => {
      result = deployed;
    });
    while (result === undefined) sendSome();
    assert.equal(result.kind, 'deployed');
    for (let round = 0; round < 5; round++) sendSome();
  }
  tokens.check();
  for (const group of [1, 2, 3]) {
    const said = versionsIn(tokens, 1, group);
    for (const node of [2, 3]) assert.deepEqual(versionsIn(tokens, node, group), said);
    let active = 0;
    for (const line of said) {
      const [what, version] = line.split(' ');
      if (what === 'activate') active = Number(version);
      else assert.equal(Number(version), active, 'each message ran on the version of its place');
    }
    assert.equal(active, 3);
    assert.deepEqual(
      new Set(said),
      new Set([1, 2, 3].flatMap((n) => [`activate ${n}`, `ran ${n}`])),
    );
  }
});

test('a version becomes active though its leader falls in between, once in effect', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const tokens = new TokenCluster({ seed, groups: 2 }).start();
    const client = tokens.client('c');
    const expiresMs = tokens.cluster.simulation.nowMs + 20_000;
    const module = TOKEN_MODULES[1]!;
    const results: DeployResult[] = [];
    const [from] = tokens.followersOf('a');
    tokens.cluster
      .engine(from!)
      .deploy(
        { space: TOKENS, module, expectedVersion: 1, principal: 'x', expiresMs },
        (result) => void results.push(result),
      );
    tokens.run(1 + seed);
    tokens.cluster.crash(tokens.cluster.ids.find((id) => id !== from)!);
    client.send('a', 'append');
    tokens.until(() => results.length === 1);
    assert.ok(results[0]!.kind === 'deployed' && results[0]!.machine.version === 2, `seed ${seed}`);
    tokens.check();
    assert.equal(tokens.cluster.engine(1).registry.latest(TOKENS), 2);
  }
});

test('a deployment through a node that is behind the others is not late because of that', () => {
  for (let seed = 1; seed <= 40; seed++) {
    // Commit indices have no room beside the entries on their way, so one group's come late.
    const tokens = new TokenCluster({ seed, limits: { inflightAppendsMax: 1 } }).start();
    for (const id of tokens.cluster.ids) {
      const deployed = tokens.deploy(TOKEN_MODULES[id % 3]!, id);
      assert.equal(deployed.kind, 'deployed', `seed ${seed}`);
    }
  }
});

test('deploying the same module again changes nothing; another than expected is refused', () => {
  const tokens = new TokenCluster({ seed: 2 }).start();
  const again = tokens.deploy();
  assert.ok(again.kind === 'deployed' && again.unchanged && again.machine.version === 1);
  const results: DeployResult[] = [];
  const deploy = (
    module: Uint8Array,
    expectedVersion: number | undefined,
    space = TOKENS,
  ): void => {
    const expiresMs = tokens.cluster.simulation.nowMs + 5000;
    const request = { space, module, expectedVersion, principal: 'x', expiresMs };
    tokens.cluster.engine(1).deploy(request, (result) => void results.push(result));
    tokens.run(1000);
  };
  deploy(TOKEN_MODULES[1]!, 7);
  deploy(new TextEncoder().encode('no such script'), undefined);
  deploy(TOKEN_MODULES[1]!, undefined, 'No Space');
  deploy(new Uint8Array(DEFAULT_LIMITS.moduleBytesMax + 1), undefined);
  assert.deepEqual(
    results.map((result) => (result.kind === 'failed' ? result.code : result.kind)),
    ['VERSION_CONFLICT', 'MODULE_INVALID', 'INVALID_ARGUMENT', 'MODULE_INVALID'],
  );
});

test('a module comes back from any node as it was deployed, whatever its size', () => {
  // Modules of scripts are names; this one is long enough for several messages.
  const name = `long-${'x'.repeat(120_000)}`;
  const module = new TextEncoder().encode(name);
  const machines = () =>
    makeScriptMachines({ [name]: { channels: ['look'], run: () => undefined } });
  const cluster = new Cluster({ seed: 3, nodes: 3, groups: 1, machines });
  cluster.start();
  let hash = '';
  const request = { space: 's', module, expectedVersion: 0, principal: 'x', expiresMs: 20_000 };
  cluster.engine(1).deploy(request, (result) => {
    assert.ok(result.kind === 'deployed', JSON.stringify(result));
    hash = result.machine.hash;
  });
  cluster.simulation.runUntil(() => hash !== '');
  cluster.simulation.runFor(500);
  for (const id of cluster.ids) {
    let got: Uint8Array | undefined;
    cluster.engine(id).module(hash, (found) => {
      got = found;
    });
    cluster.simulation.runUntil(() => got !== undefined);
    assert.deepEqual(got, module);
  }
  let none: unknown = 'not answered';
  cluster.engine(1).module('0'.repeat(64), (found) => {
    none = found;
  });
  cluster.simulation.runUntil(() => none === undefined);
});

test('a record tells its cause: message, principal, time, seed and version', () => {
  const tokens = new TokenCluster({ seed: 4 }).start();
  const client = tokens.client('c');
  const old = tokens.leaderOf('a');
  for (let count = 0; count < 5; count++) client.send('a', 'append', old);
  tokens.settle();
  tokens.cluster.setWallOffset(old, -30_000);
  for (let count = 0; count < 5; count++) client.send('a', 'append', old);
  tokens.settle();
  let records: readonly DeltaRecord[] = [];
  tokens.cluster.engine(old).history({ space: TOKENS, key: 'a', fromSeq: 1 }, (page) => {
    assert.ok(page.kind === 'page');
    records = page.deltas;
  });
  tokens.until(() => records.length === 10);
  for (const [at, record] of records.entries()) {
    assert.equal(record.session, 'c');
    assert.equal(record.number, at + 1);
    assert.equal(record.principal, 'tests');
    assert.equal(record.version, 1);
    assert.ok(at === 0 || record.time >= records[at - 1]!.time, 'time never goes back');
  }
  assert.equal(new Set(records.map(({ seed }) => seed)).size, 10);
});
