// @deltabase/driver-level: the Disk port on LevelDB.

export { openClassicStore } from './classic-store.js';
export { type CheckedFiles, checkFiles } from './files/check-files.js';
export {
  type LevelDisk,
  type LevelDiskOptions,
  openLevelDisk,
  startLevelDisk,
} from './level-disk.js';
export { makeDirectory } from './make-directory.js';
export { type DataDirOptions, openDataDir, STORE_FOLDER, WITNESS_FILE } from './open-data-dir.js';
export type {
  Failed,
  Store,
  StoreIterator,
  StoreOperation,
  StoreRange,
  StoreRow,
  StoreSnapshot,
  StoreSpace,
} from './store.js';
export { openWitness, type Witness } from './witness.js';
