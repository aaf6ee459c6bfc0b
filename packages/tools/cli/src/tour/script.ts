// The tour itself: what is shown, in which order, of a cluster that is there. Its documents go on from start to
// start: the counter `counter/starts` counts them.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeltabaseError, ERRORS } from '@deltabase/base';
import type { Client, MachineVersion } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import { table } from '../format/table.js';
import { bytes } from '../format/values.js';
import type { Commands } from './commands.js';
import type { Screen } from './screen.js';

export interface Stage {
  readonly client: Client;
  readonly screen: Screen;
  readonly commands: Commands;
  /** The folder of the example machines. */
  readonly examples: string;
}

const LOG_ENTRIES = 4;

/** Plays the tour. Throws when a step does not end as it must. */
export async function play(stage: Stage): Promise<void> {
  await tellOfEarlierStarts(stage);
  await deployExamples(stage);
  const { reply: start } = await stage.client.document('counter', 'starts').send<number>('add');
  await showWatch(stage);
  await showRules(stage, start!);
  await showHistory(stage, start!);
  await showLog(stage);
}

async function tellOfEarlierStarts({ client, screen }: Stage): Promise<void> {
  const starts = await numberIn(client, 'starts');
  if (starts === 0) return;
  const visits = await numberIn(client, 'visits');
  const times = starts === 1 ? 'one earlier start' : `${starts} earlier starts`;
  screen.line();
  screen.line(
    screen.paint.green(`The data of ${times} is here: counter/visits goes on from ${visits}.`),
  );
}

/** The number of a counter; 0 where there is none yet. */
async function numberIn(client: Client, key: string): Promise<number> {
  try {
    const { value } = await client.document('counter', key).get<number>({ pointer: '/n' });
    return value;
  } catch (thrown) {
    const isMissing = thrown instanceof DeltabaseError && MISSING.has(thrown.code);
    if (isMissing) return 0;
    throw thrown;
  }
}

const MISSING: ReadonlySet<string> = new Set(['SPACE_NOT_FOUND', 'DOCUMENT_NOT_FOUND']);

/** Deploys every example whose latest version is not this module. */
async function deployExamples({ client, screen, examples }: Stage): Promise<void> {
  const present = new Map((await client.machines.list()).map((each) => [each.space, each]));
  const rows: string[][] = [];
  for (const name of (await readdir(examples)).sort()) {
    const module = await moduleOf(examples, name);
    if (module === undefined) continue;
    const latest = present.get(name);
    const isSame = latest?.hash === createHash('sha256').update(module).digest('hex');
    const version = isSame ? latest : (await client.machines.deploy(name, module)).version;
    rows.push(machineRow(version, isSame));
  }
  screen.chapter(
    'Machines',
    'A machine is the logic of a space: a WebAssembly module with a handler for each channel. These are the ' +
      'examples, from the folder examples.',
  );
  screen.result(table(MACHINE_COLUMNS, rows, screen.paint.dim));
}

/** `undefined`: the folder is not that of a machine. */
async function moduleOf(examples: string, name: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(examples, name, 'build', 'machine.wasm'));
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw thrown;
  }
}

const MACHINE_COLUMNS = [
  { head: 'SPACE' },
  { head: 'VERSION', align: 'right' as const },
  { head: 'SIZE', align: 'right' as const },
  { head: '' },
  { head: 'CHANNELS' },
];

function machineRow(
  { space, version, moduleBytes, channels }: MachineVersion,
  isSame: boolean,
): string[] {
  const what = isSame ? 'is there' : 'deployed';
  return [space, String(version), bytes(moduleBytes), what, channels.join(', ')];
}

async function showWatch({ screen, commands }: Stage): Promise<void> {
  screen.chapter(
    'Messages, and a watch',
    'A message runs its handler once, on the leader of its document. What the handler emits, a JSON Patch, is ' +
      'replicated; the answer comes once it is on the disks of two nodes of three. The watch (beside the line) gets ' +
      'the same patches.',
  );
  const payloads = ['{"by":3}', '{"by":4}', '{"by":-2}'];
  const count = String(1 + payloads.length);
  const watch = commands.follow(['watch', 'counter', 'visits', '--count', count]);
  await watch.next();
  for (const payload of payloads) {
    await commands.run(['send', 'counter', 'visits', 'add', payload]);
    await watch.next();
  }
  await watch.end();
}

async function showRules({ screen, commands }: Stage, start: number): Promise<void> {
  screen.chapter(
    'Rules that hold',
    'Messages to a document take effect one after the other, each entirely or not at all. So a handler can ' +
      'refuse: no seat is sold twice.',
  );
  const event = `evening-${start}`;
  const send = (channel: string, payload: string): string[] => [
    'send',
    'seats',
    event,
    channel,
    payload,
  ];
  await commands.run(send('open', '{"rows":2,"seatsPerRow":4}'));
  await commands.run(send('hold', '{"seats":["1-1","1-2"]}'));
  await commands.run(send('confirm', '{"seats":["1-1","1-2"]}'));
  await commands.run(send('hold', '{"seats":["1-2","1-3"]}'), { expected: ERRORS.REJECTED.exit });
}

async function showHistory({ client, screen, commands }: Stage, start: number): Promise<void> {
  screen.chapter(
    'History',
    'Every delta is kept with its cause, and every earlier state can be read. A text that many edit is kept in ' +
      'short chunks, so that an edit is a small delta however long the text.',
  );
  const text = JSON.stringify({ at: 0, text: `Start ${start}. ` });
  await commands.run(['send', 'text', 'notes', 'insert', text]);
  const { seq } = await client.document('text', 'notes').get();
  await commands.run(['history', 'text', 'notes', '--from', String(seq)]);
  await commands.run(['get', 'counter', 'visits', '/n', '--at', '1']);
}

async function showLog({ client, screen, commands }: Stage): Promise<void> {
  screen.chapter(
    'The Raft log',
    'Documents belong to groups by the hash of their names. Each group has a log of its own and a leader; ' +
      'leaders are spread over the nodes.',
  );
  const { groups } = await client.cluster.status();
  const id = groupOf('counter', 'visits', groups.length - 1);
  const { commitIndex } = groups.find(({ group }) => group === id)!;
  const from = String(Math.max(1, commitIndex - LOG_ENTRIES + 1));
  await commands.run(['log', 'group', 'counter', 'visits']);
  await commands.run(['log', 'list', String(id), '--from', from]);
}
