// Holds a module against the guest ABI: it imports host functions only, with their types, and exports what
// the host calls. What passes is described by its manifest.

import type { Limits } from '@deltabase/base';
import { ABI_VERSION, type Manifest } from '@deltabase/machine';
import { invalid, quoteName } from '../binary/invalid.js';
import type { Import, ModuleLayout } from '../binary/module-layout.js';
import { type FunctionType, sameType, typeText } from '../binary/value-types.js';
import { RESERVED_PREFIX } from '../meter/symbols.js';
import {
  ABI_MODULE,
  HANDLER_PREFIX,
  HOST_FUNCTIONS,
  isHostFunction,
  RESERVED_EXPORTS,
} from './abi.js';

/** Exported by some toolchains instead of a start section; run once per instance. */
export const INITIALIZE_EXPORT = '_initialize';

const ACTION: FunctionType = { params: [], results: [] };
const CHANNEL = /^[a-z][a-z0-9_]*$/;

/** The manifest of a machine whose module is `layout`. Throws MODULE_INVALID where the ABI is not kept. */
export function checkModule(layout: ModuleLayout, limits: Limits): Manifest {
  const imports = layout.imports.map((item) => checkImport(layout, item));
  const channels = checkExports(layout, limits);
  const memory = exportedMemory(layout);
  if (channels.length === 0) {
    throw invalid('the module has no handler: export a function `on_<channel>` without parameters');
  }
  return {
    abi: ABI_VERSION,
    channels: channels.sort(),
    init: layout.exports.some(({ name }) => name === 'init'),
    imports: [...new Set(imports)].sort(),
    memoryPages: {
      initial: memory.min,
      max: Math.min(memory.max ?? limits.memoryPagesMax, limits.memoryPagesMax),
    },
  };
}

/** The name of the host function that `item` imports. */
function checkImport(layout: ModuleLayout, item: Import): string {
  const name = quoteName(`${item.module}.${item.name}`);
  if (item.kind !== 'function') {
    throw invalid(`the module imports the ${item.kind} ${name}; it may import functions only`);
  }
  if (item.module !== ABI_MODULE) {
    throw invalid(`the module imports ${name}; ${hint(item)}`);
  }
  if (!isHostFunction(item.name)) {
    throw invalid(`the module imports ${name}, which ABI version ${ABI_VERSION} does not have`);
  }
  const type = layout.types[item.type]!;
  const expected = HOST_FUNCTIONS[item.name];
  if (!sameType(type, expected)) {
    throw invalid(`the module imports ${name} as ${typeText(type)}; it is ${typeText(expected)}`);
  }
  return item.name;
}

function hint({ module, name }: Import): string {
  const rule = `a machine may import functions of "${ABI_MODULE}" only`;
  if (module === 'env' && name === 'abort') {
    return `${rule}; compile AssemblyScript with the options of @deltabase/guest-assemblyscript`;
  }
  if (module.startsWith('wasi')) return `${rule}: there is no WASI, compile without it`;
  return rule;
}

/** The channels that the exports handle. */
function checkExports(layout: ModuleLayout, limits: Limits): string[] {
  const channels: string[] = [];
  for (const { name, kind, index } of layout.exports) {
    if (name.startsWith(RESERVED_PREFIX)) {
      throw invalid(`the module exports ${quoteName(name)}; the prefix is reserved`);
    }
    if (kind === 'function' && RESERVED_EXPORTS.test(name)) {
      throw invalid(`the export ${quoteName(name)} is reserved for a later version of the ABI`);
    }
    const handler = name.startsWith(HANDLER_PREFIX);
    if (!handler && name !== 'init' && name !== INITIALIZE_EXPORT) continue;
    if (handler) channels.push(checkChannel(name, limits));
    if (kind !== 'function') throw invalid(`the export ${quoteName(name)} is not a function`);
    const type = layout.types[layout.functions[index] ?? -1];
    if (type === undefined || !sameType(type, ACTION)) {
      throw invalid(`the export ${quoteName(name)} must have neither parameters nor results`);
    }
  }
  return channels;
}

function checkChannel(name: string, limits: Limits): string {
  const channel = name.slice(HANDLER_PREFIX.length);
  if (CHANNEL.test(channel) && channel.length <= limits.channelNameBytesMax) return channel;
  throw invalid(
    `the export ${quoteName(name)} names no channel: use 1 to ${limits.channelNameBytesMax} of ` +
      'a-z 0-9 _ behind `on_` and begin with a letter',
  );
}

function exportedMemory(layout: ModuleLayout): ModuleLayout['memories'][number] {
  const item = layout.exports.find(({ name }) => name === 'memory');
  const memory = item?.kind === 'memory' ? layout.memories[item.index] : undefined;
  if (memory === undefined) throw invalid('the module exports no memory under the name `memory`');
  return memory;
}
