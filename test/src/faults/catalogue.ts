// Every fault that is done to real clusters.

import { damagedFiles } from './damage/damaged-files.js';
import type { FaultCase } from './fault-case.js';

export const FAULT_CASES: readonly FaultCase[] = [damagedFiles];
