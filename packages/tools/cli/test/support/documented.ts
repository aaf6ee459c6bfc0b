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
    rows.map((row) => {
      const [, command, cells] = row.split('|').map((cell) => cell.trim());
      const lists = cells!
        .split(';')
        .map((list) => [...list.matchAll(/`(\w+)`/g)].map(([, it]) => it!));
      return [command!.replaceAll('`', ''), lists];
    }),
  );
}
