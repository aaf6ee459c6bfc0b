// The process entry: node packages/server/dist/src/main.js [OPTION ...]; --help lists the options.

import { runServer } from './run-server.js';

await runServer(process.argv.slice(2), process.env);
