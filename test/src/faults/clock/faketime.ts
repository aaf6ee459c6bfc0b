// libfaketime: a library that tells a process another time than it is. Each node has a file that says which.

import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Launch } from '@deltabase/testkit';

const LIBRARIES = '/usr/lib';
const LIBRARY = 'libfaketime.so.1';
/** Longer than any run, s: the file is read when the process starts, and never again. */
const NEVER_AGAIN = '1000000000';

export interface FaketimeOptions {
  /** Where the files are, which must be there before a node starts. */
  readonly folder: string;
  /**
   * `wall`: the wall clock alone, which follows the file a second after it changed. `all`: all clocks of the process
   * and its waits, as the file is when it starts: a monotonic clock may not jump.
   */
  readonly clocks: 'wall' | 'all';
}

/** Clocks of nodes that say what they are told to. */
export class Faketime {
  readonly #library: string;
  readonly #options: FaketimeOptions;

  /** Why there is none on this machine; `undefined`: there is. */
  static async unavailable(): Promise<string | undefined> {
    const library = await findLibrary();
    return library === undefined ? 'it has no libfaketime (Debian: faketime)' : undefined;
  }

  static async open(options: FaketimeOptions): Promise<Faketime> {
    return new Faketime((await findLibrary())!, options);
  }

  private constructor(library: string, options: FaketimeOptions) {
    this.#library = library;
    this.#options = options;
  }

  /** Says what the clocks of a node show, as libfaketime writes it: what is added to the time, and its rate. */
  async set(node: number, time: string): Promise<void> {
    await writeFile(this.#fileOf(node), time);
  }

  /** For ProcessCluster. */
  readonly launch = (node: number): Launch => ({
    environment: {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#fileOf(node),
      ...(this.#options.clocks === 'wall'
        ? { FAKETIME_CACHE_DURATION: '1', DONT_FAKE_MONOTONIC: '1' }
        : { FAKETIME_CACHE_DURATION: NEVER_AGAIN }),
    },
  });

  #fileOf(node: number): string {
    return join(this.#options.folder, `clock-${node}`);
  }
}

async function findLibrary(): Promise<string | undefined> {
  for (const name of await readdir(LIBRARIES).catch(() => [])) {
    const folder = join(LIBRARIES, name, 'faketime');
    const files = await readdir(folder).catch(() => [] as string[]);
    if (files.includes(LIBRARY)) return join(folder, LIBRARY);
  }
  return undefined;
}
