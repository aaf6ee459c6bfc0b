// Opens the data directory of a node for its one user: the node itself, or whoever mends it while it does not run. Nothing
// is believed before it is checked: first the files, then what LevelDB made of them, then what was acknowledged.

import { join } from 'node:path';
import { openClassicStore } from './classic-store.js';
import { type CheckedFiles, checkFiles } from './files/check-files.js';
import { type LevelDisk, type LevelDiskOptions, openLevelDisk } from './level-disk.js';
import { openWitness } from './witness.js';

/** The folder of the database in a data directory. */
export const STORE_FOLDER = 'store';
/** The file beside it that says how many batches were acknowledged. */
export const WITNESS_FILE = 'acknowledged';

export interface DataDirOptions extends Omit<LevelDiskOptions, 'witness'> {
  /** The files are whole; called before they are opened. */
  readonly checked?: (files: CheckedFiles) => void;
}

/**
 * Opens `dataDir`, which must be there; what is in it is made if it is empty. Rejects with DATA_CORRUPT if anything
 * of it is not as it was left, with UNAVAILABLE while another process has it.
 */
export async function openDataDir(dataDir: string, options: DataDirOptions): Promise<LevelDisk> {
  const { checked, ...rest } = options;
  const directory = join(dataDir, STORE_FOLDER);
  const files = await checkFiles(directory);
  checked?.(files);
  const store = await openClassicStore(directory);
  const witness = openWitness(join(dataDir, WITNESS_FILE));
  return await openLevelDisk(store, { ...rest, witness });
}
