// The process around a node or a replica: its command line, its signals, and the codes it ends with. `deltabase start`
// calls it, and main.ts does.

import { DeltabaseError, ERRORS, toDeltabaseError } from '@deltabase/base';
import type { Log } from '@deltabase/engine';
import { setLogger } from '@grpc/grpc-js';
import type { Environment } from './config/given-options.js';
import { nodeOptionsHelp, replicaOptionsHelp } from './config/help.js';
import { loadConfig } from './config/load-config.js';
import { loadReplicaConfig } from './config/replica-config.js';
import { keepHeap } from './heap-keeper.js';
import { makeLog } from './log.js';
import { startReplica } from './replica/replica-server.js';
import { startServer } from './server.js';
import { VERSION } from './version.js';

const FATAL_CODE = 1;
const FORCED_CODE = 1;

/** What a process runs until it is told to stop. */
interface Running {
  stop(): Promise<void>;
}

/**
 * Runs a node in this process for as long as it lives. SIGTERM and SIGINT stop it in order, a second one
 * at once. Returns when it has started; a configuration that cannot be, or data that cannot be used, ends
 * the process with one line on standard error and the exit code of the errors table.
 */
export async function runServer(flags: readonly string[], environment: Environment): Promise<void> {
  if (isAnswered(flags, 'Starts a node of Deltabase.', nodeOptionsHelp)) return;
  const config = orEnd(() => loadConfig(flags, environment));
  const { cluster, node } = config;
  const log = makeLog(config.logLevel, { cluster, node });
  const joining = new AbortController();
  const fatal = (error: DeltabaseError): never => die(log, 'storage-failed', error);
  await run(
    log,
    () => joining.abort(),
    () => startServer(config, { log, fatal, expelled: endWith, signal: joining.signal }),
  );
}

/** The same with a replica. */
export async function runReplica(
  flags: readonly string[],
  environment: Environment,
): Promise<void> {
  if (isAnswered(flags, 'Starts a replica of Deltabase.', replicaOptionsHelp)) return;
  const config = orEnd(() => loadReplicaConfig(flags, environment));
  const log = makeLog(config.logLevel, { replica: config.name });
  await run(
    log,
    () => {},
    () => startReplica(config, log),
  );
}

/** Whether the flags only ask for help or the release, which is answered then. */
function isAnswered(flags: readonly string[], what: string, help: () => string): boolean {
  const asks = flags.includes('--help');
  if (asks) process.stdout.write(`${what}\n\n${help()}\n`);
  else if (flags.includes('--version')) process.stdout.write(`${VERSION}\n`);
  else return false;
  return true;
}

function orEnd<T>(load: () => T): T {
  try {
    return load();
  } catch (thrown) {
    endWith(thrown);
  }
}

async function run(
  log: Log,
  giveUpStarting: () => void,
  start: () => Promise<Running>,
): Promise<void> {
  dieOnDefects(log);
  // By itself it writes on standard error, where people look for why a process ended.
  const grpcLog = (...words: unknown[]): void => log.warn('grpc', { words: words.join(' ') });
  setLogger({ error: grpcLog, info: grpcLog, debug: grpcLog });
  const starting = start();
  stopOnSignals(starting, log, giveUpStarting);
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
function stopOnSignals(starting: Promise<Running>, log: Log, giveUpStarting: () => void): void {
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) {
      log.warn('stopped-by-force', { signal });
      process.exit(FORCED_CODE);
    }
    isStopping = true;
    log.info('signal', { signal });
    giveUpStarting();
    const stopped = (server: Running): Promise<void> =>
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
