// Everything that may go wrong in a run.

import { DISK_FAULTS } from './disk.js';
import type { Fault } from './fault.js';
import { IMAGE_FAULTS } from './images.js';
import { MEMBER_FAULTS } from './members.js';
import { NETWORK_FAULTS } from './network.js';
import { OTHER_FAULTS } from './others.js';
import { PROCESS_FAULTS } from './process.js';
import { REPLICA_FAULTS } from './replicas.js';

export const FAULTS: readonly Fault[] = [
  ...PROCESS_FAULTS,
  ...NETWORK_FAULTS,
  ...DISK_FAULTS,
  ...IMAGE_FAULTS,
  ...OTHER_FAULTS,
  ...MEMBER_FAULTS,
  ...REPLICA_FAULTS,
];
