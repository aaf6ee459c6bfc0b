// npm run replay -- FILE [--limit N] [--no-kills]: an editing history through a cluster; see replay-run.ts.

import { parseArgs } from 'node:util';
import { replay } from './replay-run.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { limit: { type: 'string' }, 'no-kills': { type: 'boolean' } },
});
const [file] = positionals;
if (file === undefined) {
  console.error('usage: npm run replay -- FILE.json.gz [--limit N] [--no-kills]');
  process.exit(2);
}
await replay({
  file,
  kills: values['no-kills'] !== true,
  progress: console.log,
  ...(values.limit === undefined ? {} : { limit: Number(values.limit) }),
});
