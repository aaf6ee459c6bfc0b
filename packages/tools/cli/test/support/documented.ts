// What docs/cli.md says that --json gives.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './cluster.js';

/** Members by command, as docs/cli.md has them: the lists of a row are those of different objects. */
export async function documentedMembers(): Promise<Map<string, string[][]>> {
  const text = await readFile(join(ROOT, 'docs/cli.md'), 'utf8');
  const [, section] = text.split('members of each object |\n| --- | --- |\n');
  const rows = section!.split('\n\n')[0]!.split('\n');
  return new Map(
    rows.flatMap((row) => {
      const [, commands, cells] = row.split('|').map((cell) => cell.trim());
      const lists = cells!
        .split(';')
        .map((list) => [...list.matchAll(/`(\w+)`/g)].map(([, it]) => it!));
      return namesIn(commands!).map((command) => [command, lists] as const);
    }),
  );
}

/** The commands that do not take an option which nearly all take, as docs/cli.md has them. */
export async function notTaking(option: string): Promise<string[]> {
  const text = await readFile(join(ROOT, 'docs/cli.md'), 'utf8');
  const [, names] = new RegExp(`^All but (.*?) also take .*\`${option}\``, 'm').exec(text)!;
  return namesIn(names!);
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
}
