/** What to compile. */
export interface BuildOptions {
  /** The AssemblyScript file whose exports are the machine. */
  readonly source: string;
  /** Where the module goes. */
  readonly output: string;
  /** What relative paths are relative to; the working directory by default. */
  readonly baseDir?: string;
}

/** Compiles a machine. Rejects with the compiler's messages. */
export function buildMachine(options: BuildOptions): Promise<void>;
