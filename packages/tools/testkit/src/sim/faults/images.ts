// Data directories that are put back to an earlier state, as by a backup or a copy of a virtual machine.

import type { Prng } from '@deltabase/base';
import type { NodeId } from '@deltabase/engine';
import type { LevelImage } from '../../disk/simulated-level.js';
import { forgetsNothing } from '../forgotten.js';
import { anyUp, type Fault, type FaultHost } from './fault.js';

export const IMAGE_FAULTS: readonly Fault[] = [
  { name: 'old-image', kind: 'damage', meanMs: 1500, inject: oldImage },
];

/** The number of acknowledged batches may be ahead of the database by the batch in flight. */
const IN_FLIGHT = 1;

function oldImage(run: FaultHost, chance: Prng): void {
  const { cluster } = run;
  const id = anyUp(run, chance);
  if (id === undefined) return;
  const image = cluster.storage(id).files.image();
  run.later(600, chance, () => {
    if (!cluster.isUp(id) || !run.mayDamage(id)) return;
    if (chance.below(2) === 0) restoreDatabase(run, id, image);
    else restoreAll(run, id, image);
    run.startLater(id, 100, chance);
  });
}

/** The database alone: the file beside it tells that batches are missing, and the node must not start. */
function restoreDatabase(run: FaultHost, id: NodeId, image: LevelImage): void {
  run.crash(id, 'lost');
  const { files } = run.cluster.storage(id);
  const { acknowledged } = files.image();
  if (acknowledged <= image.acknowledged + IN_FLIGHT) return;
  run.count('a database was put back to an earlier state');
  files.restore({ ...image, acknowledged });
  run.damaged(id, 'refused');
}

/**
 * The whole directory: the node cannot see that, so it is done only where nothing of what it forgets matters. It must
 * catch up, or be told that it has lost what it acknowledged and take no part.
 */
function restoreAll(run: FaultHost, id: NodeId, image: LevelImage): void {
  const { cluster, tokens } = run;
  run.crash(id, 'lost');
  const { files } = cluster.storage(id);
  const now = files.image();
  files.restore(image);
  const isHarmless =
    !run.isAnyDamaged &&
    forgetsNothing({
      id,
      logs: tokens.logs,
      image: cluster.rows(id),
      confsOf: (group) => tokens.confs.latest(group),
    });
  if (!isHarmless) {
    files.restore(now);
    return;
  }
  run.count('a data directory was put back to an earlier state');
  cluster.replaced(id);
  run.damaged(id, 'restored');
}
