// npm run fix: what a machine can mend: format, safe lint fixes, protos, lockfile.

import { ensureInstalled, runBin, runNode } from './lib.mjs';

runNode(['scripts/fix-lock.mjs']);
ensureInstalled();
runBin('biome', ['check', '--write', '.']);
runBin('buf', ['format', '--write', 'proto']);
