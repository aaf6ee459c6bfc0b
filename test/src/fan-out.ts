// npm run fan-out -- [--watchers 1000] [--seconds 30] ...: see fan-out-run.ts.

import { counter, parseOptions } from './command-line.js';
import { fanOut } from './fan-out-run.js';

const USAGE = `npm run fan-out -- [OPTION ...]
  --watchers N     of one document, on three nodes and three replicas; default 1000
  --rate N         messages a second; default 100
  --seconds N      how long it lasts; default 30
  --every-ms N     between two kills; default 2000
  --seed N         of who is killed and who goes where`;

const { values } = parseOptions(
  {
    options: {
      watchers: { type: 'string', default: '1000' },
      rate: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '30' },
      'every-ms': { type: 'string', default: '2000' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      help: { type: 'boolean', default: false },
    },
  },
  USAGE,
);

if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const count = counter(values, USAGE);
const seed = count('seed', 0);
console.log(`seed ${seed}`);
const { seq, deltas, moves, kills, settledMs } = await fanOut({
  seed,
  watchers: count('watchers'),
  rate: count('rate'),
  seconds: count('seconds'),
  killEveryMs: count('every-ms'),
  progress: console.log,
});
const killed = Object.entries(kills).map(([name, times]) => `${name} ${times} times`);
console.log(
  `seq ${seq}; ${deltas} deltas to watchers, which went elsewhere ${moves} times; killed: ${killed.join(', ')}; ` +
    `the last was there ${settledMs} ms after the writer; no gap, no repeat, all hashes those of the leader`,
);
