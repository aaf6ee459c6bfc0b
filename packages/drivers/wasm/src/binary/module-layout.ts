// A module, taken apart: what its sections say (core specification 2.5), as far as checking and metering
// need it. read-module.ts makes it from bytes.

import type { FunctionType } from './value-types.js';

/** Section numbers of the format. */
export const SectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** The kinds of imports and exports, as numbered by the format. */
export const KINDS = ['function', 'table', 'memory', 'global'] as const;
export type Kind = (typeof KINDS)[number];

/** A section: its number and where its content lies, `[start, end)`. */
export interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: Kind;
  /** Index of the type, for a function. */
  readonly type: number;
}

export interface Export {
  readonly name: string;
  readonly kind: Kind;
  readonly index: number;
}

/** Sizes of a memory in pages or of a table in elements. */
export interface Size {
  readonly min: number;
  readonly max: number | undefined;
}

export interface Global {
  readonly type: number;
  readonly mutable: boolean;
}

/** A module, taken apart. Imported functions, tables, memories and globals come first in each list. */
export interface ModuleLayout {
  readonly bytes: Uint8Array;
  readonly sections: readonly Section[];
  readonly types: readonly FunctionType[];
  readonly imports: readonly Import[];
  /** Type index of each function. */
  readonly functions: readonly number[];
  readonly importedFunctions: number;
  readonly tables: readonly { readonly type: number; readonly size: Size }[];
  readonly memories: readonly Size[];
  readonly globals: readonly Global[];
  readonly exports: readonly Export[];
  /** Index of the start function. */
  readonly start: number | undefined;
  /** Where the body of each function that is not imported lies: locals, then instructions. */
  readonly bodies: readonly Section[];
}

/** Where `id` lies in `layout`. */
export function findSection(layout: ModuleLayout, id: number): Section | undefined {
  return layout.sections.find((section) => section.id === id);
}
