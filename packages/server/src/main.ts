// The process entry: node packages/server/dist/src/main.js [replica] [OPTION ...]; --help lists the options.

import { runReplica, runServer } from './run-server.js';

const [first, ...rest] = process.argv.slice(2);
if (first === 'replica') await runReplica(rest, process.env);
else await runServer(process.argv.slice(2), process.env);
