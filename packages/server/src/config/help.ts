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

/** The page docs/configuration.md. */
export function configurationPage(): string {
  return `# Configuration of a server

Every option can be a flag, a variable of the environment, or a member of one JSON object in the file that
\`--config FILE\` or \`DELTABASE_CONFIG\` names. Flags go before variables, these before the file, this before
the defaults. What is wrong is said in one line, and the process ends with exit code 2.

| Option | Flag | Variable | Default | Meaning |
|---|---|---|---|---|
${OPTION_NAMES.map(rowOf).join('\n')}

Run the process under \`node ${NODE_FLAGS.join(' ')}\`: without it Node.js holds about 13,000 Wasm memories at
most, because each reserves 10 GB of address space. \`deltabase start\` does so.

This page is generated from packages/server/src/config/options.ts by \`node scripts/write-docs.mjs\`.
`;
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
