// A node may write no more (RLIMIT_FSIZE: EFBIG half-way through a batch, as a full disk gives ENOSPC): it must stop
// for good at the first failed write and acknowledge nothing more (docs/leveldb.md, fact 1). Once it may write
// again it has all that it acknowledged, and serves on.

import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProcessNode } from '@deltabase/testkit';
import { withCluster } from '../../scratch.js';
import { type TokenLoad, underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { someOf, told } from '../telling.js';
import { endsForGood } from './ends-for-good.js';

const ROUNDS = 2;
/** What a node may still write to its largest file, so that the limit is met soon and not at once. */
const ROOM_BYTES_MAX = 64 * 1024;
const run = promisify(execFile);

export const fileLimit: FaultCase = {
  name: 'file-limit',
  what: 'a node, two or all may write no more in the middle of a batch, and are started again without that limit',
  unavailable: async () => {
    const found = await run('prlimit', ['--version']).catch(() => undefined);
    return found === undefined ? 'it has no prlimit' : undefined;
  },
  run: (context) =>
    withCluster({ groups: 4 }, async (cluster) => {
      const { random } = context;
      const { result, report } = await underTokenLoad(
        cluster,
        { random, writers: 16 },
        async (load) => {
          let count = 0;
          for (let round = 0; context.again(round, ROUNDS); round++) {
            await load.progressed(100, 60_000);
            const struck = someOf(cluster.nodes, random);
            await limitAndRestart(struck, load, context);
            count += struck.length;
          }
          await load.progressed(100, 60_000);
          return `${count} nodes could write no more`;
        },
      );
      return told(result, report);
    }),
};

async function limitAndRestart(
  struck: readonly ProcessNode[],
  load: TokenLoad,
  { random, progress }: FaultContext,
): Promise<void> {
  for (const node of struck) await limitFiles(node, 1 + random.below(ROOM_BYTES_MAX));
  await Promise.all(struck.map(endsForGood));
  const { acknowledged } = load;
  await Promise.all(struck.map((node) => node.start()));
  progress(`${struck.map(({ id }) => id).join(', ')} ended; ${acknowledged} acknowledged by then`);
}

/** Lets a running node write so many bytes more to its newest log, and no more. */
async function limitFiles({ pid, dataDir }: ProcessNode, roomBytes: number): Promise<void> {
  const store = join(dataDir, 'store');
  const names = (await readdir(store)).filter((name) => name.endsWith('.log'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(store, name))).size));
  const limit = Math.max(0, ...sizes) + roomBytes;
  await run('prlimit', [`--pid=${pid}`, `--fsize=${limit}:${limit}`]);
}
