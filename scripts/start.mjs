// npm start [-- OPTION ...]: installs and builds what is missing, then starts three nodes and shows what they do
// (packages/tools/cli/src/tour). All in this process: signals have one to reach.

import { build, ensureInstalled, root } from './lib.mjs';

ensureInstalled();
build();
process.setSourceMapsEnabled(true);
const { runTour } = await import('../packages/tools/cli/dist/src/tour/main.js');
// npm runs scripts in the root and says where the user was.
const cwd = process.env.INIT_CWD ?? process.cwd();
const code = await runTour(process.argv.slice(2), { root, cwd });
// What was written must leave before the process does.
process.stdout.write('', () => process.exit(code));
