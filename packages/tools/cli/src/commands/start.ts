// deltabase start and deltabase replica: run a node, or a replica. All their options are the server's; they are passed
// on as they are.

import type { Command } from 'commander';
import { runInForeground } from '../foreground.js';
import type { Io } from '../io.js';

/** Loaded when it is needed: no other command does. */
type Server = typeof import('@deltabase/server');

interface Kind {
  readonly name: string;
  readonly summary: string;
  help(server: Server): string;
  run(server: Server): Server['runServer'];
}

const NODE: Kind = {
  name: 'start',
  summary: 'run a node of a cluster',
  help: ({ nodeOptionsHelp }) => `Usage: deltabase start [options]

Runs a node of a cluster, in the foreground. SIGTERM and Ctrl-C stop it in
order, a second one at once.

Options:
${nodeOptionsHelp()}

Examples:
  deltabase start
  deltabase start --data-dir /var/lib/deltabase --listen 0.0.0.0:7410
  deltabase start --node 2 --listen 10.0.0.2:7410 --peer-listen 10.0.0.2:7411 \\
    --members 1=10.0.0.1:7411/10.0.0.1:7410,2=10.0.0.2:7411/10.0.0.2:7410
`,
  run: ({ runServer }) => runServer,
};

const REPLICA: Kind = {
  name: 'replica',
  summary: 'run a replica of documents',
  help: ({ replicaOptionsHelp }) => `Usage: deltabase replica [options]

Runs a replica, in the foreground: a process that keeps live copies of documents
and serves reads and watches of them. It has no vote and no data; whatever else
it is asked it passes on to its upstream, so that --address of any command may
name it. SIGTERM and Ctrl-C stop it in order, a second one at once.

Options:
${replicaOptionsHelp()}

Examples:
  deltabase replica --upstream 10.0.0.1:7410,10.0.0.2:7410,10.0.0.3:7410
  deltabase replica --upstream 10.0.0.9:7420 --listen 0.0.0.0:7421
`,
  run: ({ runReplica }) => runReplica,
};

export function addStart(program: Command, io: Io, endWith: (code: number) => void): void {
  for (const kind of [NODE, REPLICA]) add(program, io, endWith, kind);
}

function add(
  program: Command,
  io: Io,
  endWith: (code: number) => void,
  { name, summary, help, run }: Kind,
): void {
  program
    .command(name)
    .summary(summary)
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(async (_options: unknown, { args: flags }: Command) => {
      const server = await import('@deltabase/server');
      if (flags.includes('--help') || flags.includes('-h')) {
        await io.out(help(server));
        return;
      }
      const foreground = { nodeFlags: server.NODE_FLAGS, run: run(server) };
      endWith(await runInForeground(name, flags, io, foreground));
    });
}
