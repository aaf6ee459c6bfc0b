// deltabase: the command line, for programs that run it inside their own process.

export { type ListedCommand, listCommands } from './command-list.js';
export type { Io } from './io.js';
export { runCli } from './program.js';
