// Tables of options for people: on the terminal and as docs/configuration.md.

import { NODE_OPTIONS } from './node-options.js';
import { defaultOf, flagOf, type Option, type OptionTable, variableOf } from './option-table.js';
import { REPLICA_OPTIONS } from './replica-options.js';

const WIDTH = 78;

/** What --help prints of the options of a node, */
export function nodeOptionsHelp(): string {
  return helpOf(NODE_OPTIONS);
}

/** and of a replica. */
export function replicaOptionsHelp(): string {
  return helpOf(REPLICA_OPTIONS);
}

function helpOf(table: OptionTable): string {
  const lines = Object.entries(table).flatMap(([name, option]) => {
    const { value, meaning } = option;
    const text = `${meaning} [${variableOf(name)}; default: ${defaultOf(option)}]`;
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

/** The tables of docs/configuration.md. */
export function configurationTables(): string {
  const node = tableOf(NODE_OPTIONS);
  return `\nOf a node (\`deltabase start\`):\n\n${node}\n\nOf a replica (\`deltabase replica\`):\n\n${tableOf(REPLICA_OPTIONS)}\n\n`;
}

function tableOf(table: OptionTable): string {
  const head = '| option | flag | variable | default | meaning |\n| --- | --- | --- | --- | --- |';
  return `${head}\n${Object.entries(table).map(rowOf).join('\n')}`;
}

function rowOf([name, option]: [string, Option]): string {
  const names = [`\`${name}\``, `\`${flagOf(name)}\``, `\`${variableOf(name)}\``];
  return `| ${[...names, defaultOf(option), option.meaning].join(' | ')} |`;
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
