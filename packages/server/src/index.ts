// @deltabase/server: one node of Deltabase as a process, or inside one.

export { configurationTable, NODE_FLAGS, optionsHelp } from './config/help.js';
export { type Environment, loadConfig } from './config/load-config.js';
export type { LogLevel, ServerConfig } from './config/server-config.js';
export { makeLog } from './log.js';
export { runServer } from './run-server.js';
export { type Server, type ServerOptions, startServer, VERSION } from './server.js';
