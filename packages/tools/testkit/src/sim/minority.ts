// A cluster in which everything is mended but a minority of the nodes, which stays cut off, deaf, mute, on links that
// come and go, on a disk that hangs, still, down or lost: every group must go on within some election timeouts, however
// the faults before have left it (docs/raft.md, pitfalls 14, 22 and 23).

import type { Limits, Prng } from '@deltabase/base';
import type { NodeId } from '@deltabase/engine';
import type { FaultHost } from './faults/fault.js';

/** About ten election timeouts, virtual time. */
const GOES_ON_MS = 15_000;
/** Where snapshots go row by row, one at a time, and a group may need one first. */
const SNAPSHOT_MS = 60_000;
const FLAP_MS = 300;

interface Ailment {
  readonly what: string;
  /** `isOver` is asked by what goes on by itself. */
  readonly begin: (run: FaultHost, id: NodeId, isOver: () => boolean) => void;
}

const AILMENTS: readonly Ailment[] = [
  { what: 'was down', begin: (run, id) => run.crash(id, 'lost') },
  { what: 'stood still', begin: ({ cluster }, id) => cluster.pause(id) },
  { what: 'had a disk that hung', begin: ({ cluster }, id) => cluster.setDisk(id, 'hung') },
  {
    what: 'had a disk that hung on reads',
    begin: ({ cluster }, id) => cluster.setDisk(id, 'reads-hang'),
  },
  { what: 'was cut off', begin: ({ cluster }, id) => cluster.setLinks(id, 'cut') },
  { what: 'was deaf', begin: (run, id) => cutOneWay(run, (other) => [other, id], id) },
  { what: 'was mute', begin: (run, id) => cutOneWay(run, (other) => [id, other], id) },
  { what: 'came and went', begin: flap },
];

/** Throws unless every group goes on. All nodes must be members; those that are lost are of the minority. */
export function goOnWithoutMinority(
  run: FaultHost,
  chance: Prng,
  { snapshotChunkBytesMax }: Partial<Limits>,
): void {
  const { cluster, tokens, groups } = run;
  const voters = cluster.founders;
  const most = (voters.length - 1) >> 1;
  // Those that know that they are expelled are not among `ids` any more.
  const ill = new Set(voters.filter((id) => tokens.lost.has(id) || !cluster.ids.includes(id)));
  if (ill.size > most || most === 0) return;
  tokens.mend();
  let isOver = false;
  for (let more = ill.size === most ? 0 : 1 + chance.below(most - ill.size); more > 0; more--) {
    const well = voters.filter((id) => !ill.has(id));
    const id = well[chance.below(well.length)]!;
    ill.add(id);
    const { what, begin } = AILMENTS[chance.below(AILMENTS.length)]!;
    run.count(`groups had to go on while a node ${what}`);
    begin(run, id, () => isOver);
  }
  const ofDocuments = Array.from({ length: groups }, (_, at) => at + 1);
  const before = ofDocuments.map((group) => tokens.committed(group));
  tokens.sendToEveryGroup('minority');
  tokens.until(
    () => ofDocuments.every((group, at) => tokens.committed(group) > before[at]!),
    snapshotChunkBytesMax === undefined ? GOES_ON_MS : SNAPSHOT_MS,
  );
  isOver = true;
}

function cutOneWay(
  { cluster }: FaultHost,
  linkOf: (other: NodeId) => readonly [from: NodeId, to: NodeId],
  id: NodeId,
): void {
  for (const other of cluster.ids) if (other !== id) cluster.setLink(...linkOf(other), 'cut');
}

function flap({ cluster }: FaultHost, id: NodeId, isOver: () => boolean): void {
  const change = (state: 'cut' | 'whole'): void => {
    if (isOver()) return;
    cluster.setLinks(id, state);
    cluster.simulation.schedule(FLAP_MS, () => change(state === 'cut' ? 'whole' : 'cut'));
  };
  change('cut');
}
