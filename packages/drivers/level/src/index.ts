// @deltabase/driver-level: the Disk port on LevelDB.

export { openClassicStore } from './classic-store.js';
export { type CheckedFiles, checkFiles } from './files/check-files.js';
export { type LevelDisk, type LevelDiskOptions, openLevelDisk } from './level-disk.js';
export type { Store, StoreIterator, StoreOperation, StoreRange, StoreSnapshot } from './store.js';
export { openWitness, type Witness } from './witness.js';
