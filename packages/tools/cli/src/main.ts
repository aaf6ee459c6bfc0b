// The process of the command `deltabase`.

import { processIo } from './io.js';
import { runCli } from './program.js';

const io = processIo();
const code = await runCli(process.argv.slice(2), io);
// What was written must leave before the process does; unless somebody wants it to end at once.
if (io.signal.aborted) process.exit(code);
process.stdout.write('', () => process.exit(code));
