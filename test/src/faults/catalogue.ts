// Every fault that is done to real clusters.

import { clockRates } from './clock/clock-rates.js';
import { clockSteps } from './clock/clock-steps.js';
import { damagedFiles } from './damage/damaged-files.js';
import { diskFull } from './disk/disk-full.js';
import { fileLimit } from './disk/file-limit.js';
import type { FaultCase } from './fault-case.js';
import { links } from './links/links.js';
import { netns } from './packets/netns.js';
import { kills } from './processes/kills.js';
import { pauses } from './processes/pauses.js';
import { snapshotKills } from './processes/snapshot-kills.js';

export const FAULT_CASES: readonly FaultCase[] = [
  kills,
  pauses,
  snapshotKills,
  links,
  netns,
  fileLimit,
  diskFull,
  clockSteps,
  clockRates,
  damagedFiles,
];
