// npm run fix: what a machine can mend: format, safe lint fixes, protos, lockfile.

import { build, ensureInstalled, runBin, runNode } from './lib.mjs';

runNode(['scripts/fix-lock.mjs']);
ensureInstalled();
runBin('biome', ['check', '--write', '.']);
runBin('buf', ['format', '--write', 'proto']);
build();
runNode(['scripts/fix-docs.mjs']);
