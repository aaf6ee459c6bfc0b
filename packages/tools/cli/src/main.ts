// The process of the command `deltabase`.

import { processIo } from './io.js';
import { runCli } from './program.js';

const code = await runCli(process.argv.slice(2), processIo());
// What was written must leave before the process does.
process.stdout.write('', () => process.exit(code));
