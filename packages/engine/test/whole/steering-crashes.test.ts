// Whoever steers a change of the members dies, at every stage of a replacement: another one goes on from there, and
// every step is made once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '@deltabase/engine';
import {
  awaitChange,
  type Cluster,
  orderChange,
  orderTransfer,
  rolesIn,
  simulatedMember,
  TokenCluster,
} from '@deltabase/testkit';
import { type ConfState, decodeConfChange, type Entry } from 'raft-ts';

const OLD = 2;
const NEW = 4;
const GROUPS = 2;

/** What whoever steers sees. */
interface Sight {
  readonly phase: string | undefined;
  /** Of the system group first. */
  readonly confs: readonly ConfState[];
  /** Whether the new node runs. */
  readonly isThere: boolean;
}

const isJoint = ({ votersOutgoing }: ConfState): boolean => votersOutgoing.length > 0;
const listens = ({ learners }: ConfState): boolean => learners.includes(NEW);
const hasChanged = (conf: ConfState): boolean =>
  !isJoint(conf) && conf.voters.includes(NEW) && !conf.voters.includes(OLD);

/** In their order. */
const STAGES: Readonly<Record<string, (sight: Sight) => boolean>> = {
  'before the new node listens anywhere': ({ phase, confs }) =>
    phase === 'joining' && !confs.some(listens),
  'when it listens in a group': ({ phase, confs }) => phase === 'joining' && confs.some(listens),
  'when it listens in all': ({ phase, confs }) => phase === 'joining' && confs.every(listens),
  'while it catches up': ({ phase, isThere }) => phase === 'joining' && isThere,
  'when voters are to come and go': ({ phase, confs }) =>
    phase === 'changing' && confs.every(listens),
  'when a group is joint': ({ phase, confs }) => phase === 'changing' && confs.some(isJoint),
  'when a group has left the joint configuration': ({ phase, confs }) =>
    phase === 'changing' && confs.some(hasChanged),
  'when the system group is joint': ({ phase, confs }) =>
    phase === 'changing' && isJoint(confs[0]!),
  'when all groups have changed, and the document does not say so': ({ phase, confs }) =>
    phase === 'changing' && confs.every(hasChanged),
  'when the document says that it is done': ({ phase }) => phase === undefined,
};
const BEFORE_IT_COMES = 3;

/** Who leads the system group. */
function steererOf(cluster: Cluster): number | undefined {
  return cluster.ids.find((id) => {
    return cluster.isUp(id) && cluster.engine(id).positions()[0]!.role === 'leader';
  });
}

function sightOf(cluster: Cluster, engine: Engine): Sight {
  const phase = engine.members().change?.phase;
  const confs = engine.positions().map(({ conf }) => conf);
  return { phase, confs, isThere: cluster.ids.includes(NEW) && cluster.isUp(NEW) };
}

/** A replacement of node 2 by 4 that goes on until `at`; node `first` steers it at the beginning. */
function replacing(at: string, first: number) {
  const tokens = new TokenCluster({ seed: 1, groups: GROUPS }).start();
  const { cluster } = tokens;
  const client = tokens.client('c');
  const write = (): void => {
    for (const key of 'abcdef') client.send(key, 'append');
  };
  write();
  tokens.settle();
  assert.equal(orderTransfer(cluster, 0, first).kind, 'transferred');
  tokens.until(() => steererOf(cluster) === first);
  const replace = { kind: 'replace', old: OLD, member: simulatedMember(NEW) } as const;
  const result = orderChange(cluster, replace, { through: 3 });
  const comesFirst = Object.keys(STAGES).indexOf(at) >= BEFORE_IT_COMES;
  if (comesFirst) cluster.joinNode(NEW);
  write();
  tokens.until(() => {
    const id = steererOf(cluster);
    return id !== undefined && STAGES[at]!(sightOf(cluster, cluster.engine(id)));
  });
  return { tokens, cluster, write, result, comesFirst, steerer: steererOf(cluster)! };
}

/** The changes of its configuration in the log of a group, in words. */
function changesIn(tokens: TokenCluster, group: number): string[] {
  let entries: readonly Entry[] | undefined;
  tokens.cluster.engine(NEW).readLog(group, 1, (found) => {
    entries = found;
  });
  tokens.until(() => entries !== undefined);
  return entries!
    .filter(({ type }) => type === 'confChange')
    .map(({ data }) =>
      decodeConfChange(data)
        .changes.map(({ kind, node }) => `${kind} ${node}`)
        .join(', '),
    );
}

/** Found, prefer, four times met, replace, advance, finish: each takes effect once, however often it is said. */
const DELTAS = 9;

for (const [at, index] of Object.keys(STAGES).map((stage, order) => [stage, order] as const)) {
  test(`whoever steers a replacement dies ${at}: another one ends it, every step made once`, () => {
    // The one that goes steers only until it hands over.
    for (const first of index < 7 ? [1, OLD] : [1]) {
      for (const inFlight of ['lost', 'kept'] as const) {
        const { tokens, cluster, write, result, comesFirst, steerer } = replacing(at, first);
        cluster.crash(steerer, inFlight);
        if (!comesFirst) cluster.joinNode(NEW);
        write();
        awaitChange(cluster, result);
        assert.notEqual(steererOf(cluster), steerer);
        assert.deepEqual(
          rolesIn(cluster.engine(NEW).members()),
          [1, 3, NEW].map((id) => [id, 'voter']),
        );
        assert.equal(cluster.engine(NEW).members().changes, 1);
        for (let group = 0; group <= GROUPS; group++) {
          assert.deepEqual(changesIn(tokens, group), [
            `addLearner ${NEW}`,
            `addVoter ${NEW}, remove ${OLD}`,
            '',
          ]);
        }
        const document = { space: '$system', key: 'members' };
        tokens.until(() => cluster.isUp(NEW));
        assert.equal(tokens.valueAt(NEW, 'members', document).seq, DELTAS);
        cluster.startNode(steerer);
        tokens.until(() => cluster.expulsionOf(OLD) !== undefined || steerer !== OLD);
        tokens.check();
      }
    }
  });
}
