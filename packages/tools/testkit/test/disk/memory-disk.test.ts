import { MemoryDisk, SortedMap, testDiskConformance } from '../../src/index.js';

function open(map: SortedMap) {
  const disk = new MemoryDisk({ later: (_kind, run) => void setImmediate(run) }, map);
  return {
    disk,
    reopen: async () => open(disk.durable),
    close: async () => {},
  };
}

testDiskConformance('the disk in memory', async () => open(new SortedMap()));
