// npm run replay -- FILE [--limit N] [--no-kills]: an editing history through a cluster; see replay-run.ts.

import { endWithUsage, parseOptions } from './command-line.js';
import { MESSAGES_MIN, renderReplay, replay } from './replay-run.js';

const USAGE = `usage: npm run replay -- FILE.json.gz [--limit N] [--no-kills]
  --limit N    only the first N patches, at least ${MESSAGES_MIN}
  --no-kills   kill no leaders: what it costs while nothing goes wrong`;

const { values, positionals } = parseOptions(
  {
    allowPositionals: true,
    options: {
      limit: { type: 'string' },
      'no-kills': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  },
  USAGE,
);
const [file] = positionals;
const limit = values.limit === undefined ? Infinity : Number(values.limit);
if (values.help) {
  console.log(USAGE);
} else if (file === undefined || positionals.length > 1 || !(limit >= MESSAGES_MIN)) {
  endWithUsage(`name one file, and at least ${MESSAGES_MIN} messages of it`, USAGE);
} else {
  console.log(renderReplay(await replay({ file, limit, kills: !values['no-kills'] })));
}
