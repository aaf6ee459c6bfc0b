// npm run storm -- [--seconds 30] [--faults kill,pause,term | --replace] ...: see storm-run.ts.

import { counter, endWithUsage, parseOptions } from './command-line.js';
import { FAULTS, type Fault } from './storm-faults.js';
import { storm } from './storm-run.js';

const USAGE = `npm run storm -- [OPTION ...]
  --seconds N        how long it lasts; default 30
  --faults A,B       what nodes meet: ${FAULTS.join(', ')}; default kill
  --replace          instead, nodes are replaced by fresh ones one after the other, each of the first at least
  --every-ms N       between two faults or replacements; default 3000
  --pause-ms N       the longest pause; default 5000
  --writers N        default 64
  --documents N      default 200
  --seed N           of what is written and what happens when`;

const { values } = parseOptions(
  {
    options: {
      seconds: { type: 'string', default: '30' },
      faults: { type: 'string', default: 'kill' },
      replace: { type: 'boolean', default: false },
      'every-ms': { type: 'string', default: '3000' },
      'pause-ms': { type: 'string', default: '5000' },
      writers: { type: 'string', default: '64' },
      documents: { type: 'string', default: '200' },
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
const report = await storm({
  seconds: count('seconds'),
  seed,
  faults: faults(),
  replaces: values.replace,
  faultEveryMs: count('every-ms'),
  pauseMsMax: count('pause-ms'),
  writers: count('writers'),
  documents: count('documents'),
  progress: console.log,
});
const { acknowledged, refused, unknown, longestGapMs } = report;
const met = FAULTS.filter((fault) => report.faults[fault] > 0);
const replaced = report.replacements.length;
const happened = values.replace
  ? `${replaced} nodes replaced`
  : met.map((fault) => `${fault} ${report.faults[fault]} times`).join(', ') || 'no faults';
console.log(
  `${acknowledged} acknowledged, ${refused} refused, ${unknown} of unknown fate; ` +
    `${happened}; ` +
    `longest time without an acknowledgement ${longestGapMs} ms; nothing lost, nothing twice, all copies equal`,
);

function faults(): Fault[] {
  return values.faults.split(',').map((name) => {
    const known = FAULTS.find((fault) => fault === name);
    return known ?? endWithUsage(`--faults ${values.faults}: there is no ${name}`, USAGE);
  });
}
