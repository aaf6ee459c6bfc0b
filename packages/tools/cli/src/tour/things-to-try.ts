// What a user can do with the cluster that `npm start` leaves running, as lines to copy.

import type { Paint } from '../format/paint.js';
import { addressesFrom } from './addresses.js';
import { typed } from './commands.js';
import type { NodeProcess } from './node-process.js';
import { DEFAULT_PORT } from './options.js';

export interface Running {
  readonly port: number;
  readonly nodes: readonly Pick<NodeProcess, 'id' | 'pid'>[];
}

const COMMANDS: readonly (readonly [readonly string[], string])[] = [
  [['status'], 'nodes, groups, who leads'],
  [['send', 'counter', 'visits', 'add', '{"by":5}'], 'a message'],
  [['watch', 'counter', 'visits'], 'its deltas as they are committed; send from a third terminal'],
  [['send', 'queue', 'jobs', 'enqueue', '{"body":"mail"}'], 'a queue'],
  [['history', 'text', 'notes'], 'every delta, with its cause'],
  [['log', 'tail'], 'what all groups replicate'],
  [['--help'], 'more'],
];

/** The lines, the first one empty. */
export function thingsToTry({ port, nodes }: Running, paint: Paint): string[] {
  const [first] = addressesFrom(port);
  const last = nodes.at(-1)!;
  const lines: [string, string][] = [
    ...(port === DEFAULT_PORT
      ? []
      : [
          [`export DELTABASE_ADDRESS=${first!.client}`, 'where the cluster is'] as [string, string],
        ]),
    ...COMMANDS.map(([args, what]): [string, string] => [typed(args), what]),
    [`kill -9 ${last.pid}`, `node ${last.id}: the others go on, and it is started again`],
  ];
  const width = Math.max(...lines.map(([command]) => command.length));
  return [
    '',
    paint.bold('The cluster stays up. In another terminal, in this folder:'),
    '',
    ...lines.map(([command, what]) => `  ${command.padEnd(width)}  ${paint.dim(`# ${what}`)}`),
    '',
    'Ctrl-C stops it; the next npm start finds its data again.',
  ];
}
