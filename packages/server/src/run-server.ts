// The process around a server: its command line, its signals, and the codes it ends with. `deltabase start`
// calls it, and main.ts does.

import { DeltabaseError, ERRORS, toDeltabaseError } from '@deltabase/base';
import type { Log } from '@deltabase/engine';
import { setLogger } from '@grpc/grpc-js';
import { optionsHelp } from './config/help.js';
import { type Environment, loadConfig } from './config/load-config.js';
import type { ServerConfig } from './config/server-config.js';
import { keepHeap } from './heap-keeper.js';
import { makeLog } from './log.js';
import { type Server, startServer, VERSION } from './server.js';

const FATAL_CODE = 1;
const FORCED_CODE = 1;

/**
 * Runs a server in this process for as long as it lives. SIGTERM and SIGINT stop it in order, a second one
 * at once. Returns when it has started; a configuration that cannot be, or data that cannot be used, ends
 * the process with one line on standard error and the exit code of the errors table.
 */
export async function runServer(flags: readonly string[], environment: Environment): Promise<void> {
  if (flags.includes('--help')) {
    process.stdout.write(`Starts a node of Deltabase.\n\n${optionsHelp()}\n`);
    return;
  }
  if (flags.includes('--version')) {
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  let config: ServerConfig;
  try {
    config = loadConfig(flags, environment);
  } catch (thrown) {
    endWith(thrown);
  }
  const log = makeLog({ level: config.logLevel, cluster: config.cluster, node: config.node });
  dieOnDefects(log);
  // By itself it writes on standard error, where people look for why a process ended.
  const grpcLog = (...words: unknown[]): void => log.warn('grpc', { words: words.join(' ') });
  setLogger({ error: grpcLog, info: grpcLog, debug: grpcLog });
  const fatal = (error: DeltabaseError): never => die(log, 'storage-failed', error);
  const joining = new AbortController();
  const starting = startServer(config, { log, fatal, expelled: endWith, signal: joining.signal });
  stopOnSignals(starting, log, () => joining.abort());
  try {
    await starting;
    keepHeap();
  } catch (thrown) {
    endWith(thrown);
  }
}

/** A failed assertion, or anything else that nobody expected: this process does not know what it is doing. */
function dieOnDefects(log: Log): void {
  process.on('uncaughtException', (error) => die(log, 'defect', error));
  process.on('unhandledRejection', (reason) => die(log, 'defect', reason));
}

/** From the first moment on: whoever sees it start may send a signal. */
function stopOnSignals(starting: Promise<Server>, log: Log, giveUpJoining: () => void): void {
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) {
      log.warn('stopped-by-force', { signal });
      process.exit(FORCED_CODE);
    }
    isStopping = true;
    log.info('signal', { signal });
    giveUpJoining();
    const stopped = (server: Server): Promise<void> =>
      server.stop().then(
        () => process.exit(0),
        (reason) => die(log, 'defect', reason),
      );
    // A start that fails ends the process itself.
    starting.then(stopped, () => {});
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function die(log: Log, event: string, thrown: unknown): never {
  const error = toDeltabaseError(thrown);
  const cause = error.cause instanceof Error ? error.cause : error;
  log.error(event, { code: error.code, reason: error.message, stack: cause.stack ?? '' });
  process.exit(FATAL_CODE);
}

/** What is wrong can be mended by whoever started the process: one line, no stack. */
function endWith(thrown: unknown): never {
  if (!(thrown instanceof DeltabaseError)) throw thrown;
  process.stderr.write(`deltabase: ${thrown.message}\n`);
  process.exit(ERRORS[thrown.code].exit);
}
