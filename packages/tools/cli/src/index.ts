// deltabase: the command line, for programs that run it inside their own process.

export type { Io } from './io.js';
export { runCli } from './program.js';
