// deltabase cluster: the members of the cluster, and who leads its groups.

import { DeltabaseError } from '@deltabase/base';
import type { MemberChange, MemberList, NewMember } from '@deltabase/client';
import type { Command } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { printable } from '../format/printable.js';
import { recoveredText } from '../format/recovery.js';
import { table } from '../format/table.js';
import type { Io } from '../io.js';
import { natural, whole } from '../parse.js';

interface ChangeOptions extends CommonOptions {
  readonly wait: boolean;
}

interface AddOptions extends ChangeOptions {
  readonly learner?: boolean;
}

const MEMBER = /^(\d{1,5})=([^/=,\s]+:\d{1,5})\/([^/=,\s]+:\d{1,5})$/;

export function addCluster(program: Command, io: Io): void {
  const cluster = program
    .command('cluster')
    .summary('the members of the cluster')
    .description('Lists and changes the members of the cluster, and says who leads a group.')
    .addHelpText('after', examples('members', 'replace 2 4=10.0.0.4:7411/10.0.0.4:7410'));
  addMembers(cluster, io);
  addAdd(cluster, io);
  addPromote(cluster, io);
  addRemove(cluster, io);
  addReplace(cluster, io);
  addTransfer(cluster, io);
}

function addMembers(cluster: Command, io: Io): void {
  const command = cluster
    .command('members')
    .summary('the members, and the change that is under way')
    .description('Shows the members, where they are, and the change that is under way.');
  withCommon(command)
    .addHelpText('after', examples('members', 'members --json'))
    .action(async (options: CommonOptions) => {
      const context = new Context(io, options);
      const list = await context.withClient((client) => client.members.list(context.call));
      await context.show(listJson(list), () => listText(context, list));
    });
}

function addAdd(cluster: Command, io: Io): void {
  const command = cluster
    .command('add')
    .summary('add a node')
    .description('Adds a node, with an id that was never used.')
    .argument('<member>', 'its id, where other nodes reach it, and where clients do')
    .option('--learner', 'it stays a learner until it is promoted');
  withWaiting(command)
    .addHelpText(
      'after',
      `
MEMBER is ID=PEER_HOST:PORT/CLIENT_HOST:PORT. The node listens first, in every
group, and votes once it has caught up in all of them. Start it with its id, an
empty data directory and --join.
${examples('add 4=10.0.0.4:7411/10.0.0.4:7410', 'add 4=10.0.0.4:7411/10.0.0.4:7410 --learner')}`,
    )
    .action((text: string, options: AddOptions) => {
      const member = parseMember(text);
      return change(new Context(io, options), options, (client, call) =>
        client.members.add(member, { ...call, learner: options.learner === true }),
      );
    });
}

function addPromote(cluster: Command, io: Io): void {
  const command = cluster
    .command('promote')
    .summary('make a learner a voter')
    .description('Makes a learner that has caught up a voter, or keeps a node that was to go.')
    .argument('<node>', 'its id', natural);
  withWaiting(command)
    .addHelpText('after', examples('promote 4'))
    .action((node: number, options: ChangeOptions) =>
      change(new Context(io, options), options, (client, call) =>
        client.members.promote(node, call),
      ),
    );
}

function addRemove(cluster: Command, io: Io): void {
  const command = cluster
    .command('remove')
    .summary('remove a node for ever')
    .description('Removes a node for ever, or undoes the addition of one, where that is safe.')
    .argument('<node>', 'its id', natural);
  withWaiting(command)
    .addHelpText('after', examples('remove 4'))
    .action((node: number, options: ChangeOptions) =>
      change(new Context(io, options), options, (client, call) =>
        client.members.remove(node, call),
      ),
    );
}

function addReplace(cluster: Command, io: Io): void {
  const command = cluster
    .command('replace')
    .summary('put a new node in the place of another')
    .description('Puts a new node in the place of another one, alive or dead.')
    .argument('<old>', 'the id of the node that goes', natural)
    .argument('<member>', 'the node that comes');
  withWaiting(command)
    .addHelpText('after', examples('replace 2 4=10.0.0.4:7411/10.0.0.4:7410'))
    .action((old: number, text: string, options: ChangeOptions) => {
      const member = parseMember(text);
      return change(new Context(io, options), options, (client, call) =>
        client.members.replace(old, member, call),
      );
    });
}

function addTransfer(cluster: Command, io: Io): void {
  const command = cluster
    .command('transfer')
    .summary('have a node lead a group')
    .description('Has a node lead a group while it can; auto: the cluster chooses again.')
    .argument('<group>', 'its number', whole)
    .argument('<node>', 'an id, or auto', (text: string) =>
      text === 'auto' ? text : natural(text),
    );
  withCommon(command)
    .addHelpText('after', examples('transfer 1 1', 'transfer 1 auto'))
    .action(async (group: number, node: number | 'auto', options: CommonOptions) => {
      const context = new Context(io, options);
      const leader = await context.withClient((client) =>
        client.members.transfer(group, node === 'auto' ? undefined : node, context.call),
      );
      const text = node === 'auto' ? 'the cluster chooses who leads' : `node ${leader} leads`;
      await context.show({ group, leader }, () => `${text} group ${group}\n`);
    });
}

function withWaiting(command: Command): Command {
  return withCommon(
    command.option('--no-wait', 'end when the change has begun, not when it is through'),
  );
}

type Client = Parameters<Parameters<Context['withClient']>[0]>[0];

/** Begins a change and, unless told otherwise, waits for its end. */
async function change(
  context: Context,
  { wait }: ChangeOptions,
  begin: (client: Client, call: Context['call']) => Promise<number>,
): Promise<void> {
  await context.withClient(async (client) => {
    const number = await begin(client, context.call);
    if (!wait) {
      await context.show({ change: number }, () => `change ${number} has begun\n`);
      return;
    }
    const progress = (underWay: MemberChange): void => context.note(changeText(underWay));
    const list = await client.members.done(number, { ...context.call, progress });
    await context.show(listJson(list), () => listText(context, list));
  });
}

/** Throws INVALID_ARGUMENT. */
function parseMember(text: string): NewMember {
  const [, node, peerAddress, clientAddress] = MEMBER.exec(text) ?? [];
  if (peerAddress !== undefined && clientAddress !== undefined) {
    return { node: Number(node), peerAddress, clientAddress };
  }
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `member ${JSON.stringify(text)}: write ID=PEER_HOST:PORT/CLIENT_HOST:PORT, such as 4=10.0.0.4:7411/10.0.0.4:7410`,
  );
}

function changeText({ kind, node, oldNode, phase, ...progress }: MemberChange): string {
  const what = oldNode === undefined ? `${kind} ${node}` : `${kind} ${oldNode} by ${node}`;
  return `${what}: ${phase}, ${progress.groupsDone} of ${progress.groupsTotal} groups`;
}

const COLUMNS = [
  { head: 'NODE', align: 'right' as const },
  { head: 'ROLE' },
  { head: 'STATE' },
  { head: 'CLIENTS' },
  { head: 'PEERS' },
];

function listText({ paint }: Pick<Context, 'paint'>, list: MemberList): string {
  const rows = list.members.map((member) => [
    String(member.node),
    member.role,
    stateOf(member, paint),
    printable(member.clientAddress),
    printable(member.peerAddress),
  ]);
  const underWay = list.change ? `\n${changeText(list.change)}\n` : '';
  const head = `cluster ${paint.bold(printable(list.cluster))} ${list.clusterId}\n\n`;
  const recovered = list.recoveries
    .map((one) => `\n${paint.yellow(recoveredText(one))}\n`)
    .join('');
  return `${head}${table(COLUMNS, rows, paint.dim)}${underWay}${recovered}`;
}

function stateOf(
  { joined, reachable }: MemberList['members'][number],
  paint: Context['paint'],
): string {
  if (!joined) return paint.yellow('not started');
  return reachable ? paint.green('up') : paint.red('away');
}

function listJson(list: MemberList): object {
  const { cluster, clusterId, members, change: underWay, changes, ...rest } = list;
  const { preferredLeaders, recoveries } = rest;
  const known = { cluster, clusterId, members, change: underWay ?? null, changes };
  return { ...known, preferredLeaders, recoveries };
}

function examples(...commands: string[]): string {
  return `\nExamples:\n${commands.map((command) => `  deltabase cluster ${command}`).join('\n')}`;
}
