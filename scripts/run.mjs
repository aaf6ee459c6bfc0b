// node scripts/run.mjs FILE [ARG ...]: installs and builds what is missing, then runs a compiled program.

import { spawn } from 'node:child_process';
import { build, ensureInstalled, root } from './lib.mjs';

ensureInstalled();
build();
const [file, ...args] = process.argv.slice(2);
const child = spawn(process.execPath, ['--enable-source-maps', file, ...args], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
