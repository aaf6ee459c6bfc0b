// One run of `npm start`: looks whether it may begin, starts the nodes, plays the tour, stays up if it is to, and
// stops the nodes, however it ends.

import { join, relative } from 'node:path';
import { type Client, connect } from '@deltabase/client';
import type { Paint } from '../format/paint.js';
import { table } from '../format/table.js';
import { checkPorts } from './addresses.js';
import { Commands } from './commands.js';
import { awaitEarlierRun, makeDataFolder } from './data-folder.js';
import { exitCodeOfInterruption, type Interruptions } from './interruptions.js';
import { LocalCluster, type NodeEvent } from './local-cluster.js';
import type { Place, TourOptions } from './options.js';
import { awaitEqualCopies, awaitLeaders } from './readiness.js';
import type { Output, Screen } from './screen.js';
import { play } from './script.js';
import { thingsToTry } from './things-to-try.js';

export interface SessionOptions {
  readonly options: TourOptions;
  readonly place: Place;
  readonly output: Output;
  readonly screen: Screen;
  readonly interruptions: Interruptions;
}

const CONNECT_MS = 60_000;

/** Runs it; returns the exit code. Throws what made it fail, once all nodes are gone. */
export async function runSession(options: SessionOptions): Promise<number> {
  const session = new Session(options);
  try {
    return await session.run();
  } finally {
    await session.end();
  }
}

class Session {
  readonly #options: SessionOptions;
  readonly #over = new AbortController();
  #cluster: LocalCluster | undefined;
  #client: Client | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    options.interruptions.listen((again) => {
      this.#cluster?.kill();
      options.screen.last('Ended at once.');
      process.exit(exitCodeOfInterruption(again));
    });
  }

  async run(): Promise<number> {
    const { interruptions, options } = this.#options;
    const early = await Promise.race([this.#tour(), interruptions.first]);
    if (early !== undefined) return exitCodeOfInterruption(early);
    if (options.once) return 0;
    await this.#stayUp();
    return 0;
  }

  /** Stops what runs. Whoever is still at work says nothing any more. */
  async end(): Promise<void> {
    const { screen } = this.#options;
    this.#over.abort();
    screen.mute();
    if (this.#cluster === undefined) return;
    screen.last('');
    screen.last('Stopping the nodes ...');
    await this.#cluster.stop();
    await this.#client?.close({ abandon: true });
    screen.last(`Stopped. The next start goes on from ${this.#shown(this.#options.options.data)}.`);
  }

  async #tour(): Promise<undefined> {
    const { screen, options } = this.#options;
    const { data, port } = options;
    await makeDataFolder(data);
    await awaitEarlierRun(data, () => screen.line('Waiting for the nodes of an earlier start ...'));
    await checkPorts(port);
    this.#over.signal.throwIfAborted();
    screen.line(`Starting three nodes, with data and logs in ${this.#shown(data)} ...`);
    const cluster = new LocalCluster({ data, port, env: process.env });
    this.#cluster = cluster;
    await cluster.start();
    await Promise.race([this.#show(cluster), cluster.lost]);
  }

  async #show(cluster: LocalCluster): Promise<void> {
    const { screen, place, output, options } = this.#options;
    const { addresses } = cluster;
    const { signal } = this.#over;
    const client = await connect({ addresses, connectMs: CONNECT_MS, signal });
    this.#client = client;
    await awaitLeaders(client, addresses.length);
    screen.line();
    screen.result(nodesTable(cluster, screen.paint));
    const env = {
      ...output.env,
      DELTABASE_ADDRESS: addresses.join(','),
      ...(options.color ? {} : { NO_COLOR: '1' }),
    };
    const commands = new Commands({ screen, env, isTerminal: output.isTerminal });
    await play({ client, screen, commands, examples: join(place.root, 'examples') });
    const statuses = await awaitEqualCopies(client, addresses.length);
    screen.line();
    const groups = statuses[0]!.groups.length;
    const text = `${statuses.length} nodes are up, with equal copies of all ${groups} groups.`;
    screen.line(screen.paint.green(text));
  }

  /** Until it is told to stop. Throws UNAVAILABLE if too many nodes die. */
  async #stayUp(): Promise<void> {
    const { screen, interruptions, options } = this.#options;
    const cluster = this.#cluster!;
    cluster.keepAlive((event) => this.#tell(event));
    for (const line of thingsToTry({ port: options.port, nodes: cluster.nodes }, screen.paint)) {
      screen.line(line);
    }
    await Promise.race([interruptions.first, cluster.lost]);
  }

  #tell(event: NodeEvent): void {
    const { screen } = this.#options;
    const { paint } = screen;
    if (event.kind === 'restarted') {
      screen.line(
        paint.green(`Node ${event.node.id} is started again (process ${event.node.pid}).`),
      );
      return;
    }
    const { node, pid, how, lastWords } = event.death;
    const next =
      event.kind === 'died'
        ? `It is started again in ${event.restartMs / 1000} s`
        : 'It has died too often and stays down';
    screen.line();
    screen.line(paint.red(`Node ${node.id} (process ${pid}) ended ${how}. ${next}.`));
    screen.line(`The end of its log, ${this.#shown(node.logFile)}:`);
    for (const line of lastWords) screen.aside(line);
  }

  /** A path as the user would type it. */
  #shown(path: string): string {
    const short = relative(this.#options.place.cwd, path);
    return short === '' || short.startsWith('..') ? path : short;
  }
}

const NODE_COLUMNS = [
  { head: 'NODE', align: 'right' as const },
  { head: 'ADDRESS' },
  { head: 'PROCESS', align: 'right' as const },
];

function nodesTable({ nodes }: LocalCluster, paint: Paint): string {
  const rows = nodes.map(({ id, clientAddress, pid }) => [String(id), clientAddress, String(pid)]);
  return table(NODE_COLUMNS, rows, paint.dim);
}
