// @deltabase/server: one node of Deltabase as a process, or inside one.

export type { Environment } from './config/given-options.js';
export { configurationTables, nodeOptionsHelp, replicaOptionsHelp } from './config/help.js';
export { loadConfig } from './config/load-config.js';
export { loadReplicaConfig, type ReplicaServerConfig } from './config/replica-config.js';
export type { LogLevel, ServerConfig } from './config/server-config.js';
export { makeLog } from './log.js';
export { NODE_COMMAND, NODE_FLAGS } from './node-command.js';
export { type ReplicaServer, startReplica } from './replica/replica-server.js';
export { runReplica, runServer } from './run-server.js';
export { type Server, type ServerOptions, startServer } from './server.js';
export { VERSION } from './version.js';
