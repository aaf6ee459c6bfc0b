// The table of options for people: on the terminal and as docs/configuration.md.

import {
  defaultOf,
  flagOf,
  OPTION_NAMES,
  OPTIONS,
  type Option,
  type OptionName,
  variableOf,
} from './options.js';

/** Flags of Node.js that the process should run under; whoever spawns it passes them. */
export const NODE_FLAGS: readonly string[] = [
  // Without it a process can have about 13,000 Wasm memories: each reserves 10 GB of address space.
  '--disable-wasm-trap-handler',
  // Messages in flight outlive a young generation of the default size, and are copied twice for nothing.
  '--max-semi-space-size=32',
  // Its helper threads take more from a node under load than they give.
  '--no-parallel-scavenge',
];

const WIDTH = 78;

/** What --help prints of the options. */
export function optionsHelp(): string {
  const lines = OPTION_NAMES.flatMap((name) => {
    const { value, meaning }: Option = OPTIONS[name];
    const text = `${meaning} [${variableOf(name)}; default: ${defaultOf(name)}]`;
    return [`  ${flagOf(name)} ${value}`, ...wrapped(text).map((line) => `      ${line}`)];
  });
  return [
    ...lines,
    '  --config FILE',
    '      A JSON file with options by name. [DELTABASE_CONFIG]',
    '',
    'Flags go before variables, these before the file, this before defaults.',
  ].join('\n');
}

/** The table of docs/configuration.md. */
export function configurationTable(): string {
  const head = '| option | flag | variable | default | meaning |\n| --- | --- | --- | --- | --- |';
  return `\n${head}\n${OPTION_NAMES.map(rowOf).join('\n')}\n\n`;
}

function rowOf(name: OptionName): string {
  const { meaning }: Option = OPTIONS[name];
  const cells = [`\`${name}\``, `\`${flagOf(name)}\``, `\`${variableOf(name)}\``, defaultOf(name)];
  return `| ${[...cells, meaning].join(' | ')} |`;
}

function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line.length + word.length >= WIDTH - 6) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
