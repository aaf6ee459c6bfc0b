// npm run check: everything a machine can judge, and nothing is written: lockfile, types, format and lint,
// protos. The layer and document tests are part of npm test.

import { build, ensureInstalled, runBin, runNode } from './lib.mjs';

runNode(['scripts/fix-lock.mjs', '--check']);
ensureInstalled();
build();
// It colours what nobody looks at, too, each character by itself.
const plain = process.stdout.isTTY ? [] : ['--colors=off'];
runBin('biome', ['ci', ...plain, '--error-on-warnings', '.']);
runBin('buf', ['lint', 'proto']);
runBin('buf', ['format', '--diff', '--exit-code', 'proto']);
runNode(['scripts/fix-docs.mjs', '--check']);
