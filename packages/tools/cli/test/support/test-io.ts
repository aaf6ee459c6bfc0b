// The process around a command, for tests that run it inside their own.

import { Readable } from 'node:stream';
import { type Io, OutputClosed } from '../../src/io.js';

export interface TestIo extends Io {
  /** What was written so far. */
  readonly written: { out: string; err: string };
  interrupt(name: NodeJS.Signals): void;
}

interface TestIoOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: Iterable<string | Uint8Array> | Readable;
  readonly isTerminal?: boolean;
  readonly columns?: number;
  /** Whether whoever reads the results has gone. */
  readonly isClosed?: boolean;
}

export function testIo(options: TestIoOptions = {}): TestIo {
  const { env = {}, stdin = [], isTerminal = false, columns, isClosed = false } = options;
  const written = { out: '', err: '' };
  const controller = new AbortController();
  return {
    env,
    stdin:
      stdin instanceof Readable
        ? stdin
        : Readable.from([...stdin].map((part) => Buffer.from(part))),
    isTerminal,
    columns,
    signal: controller.signal,
    written,
    async out(text) {
      if (isClosed) throw new OutputClosed();
      written.out += text;
    },
    err(text) {
      written.err += text;
    },
    interrupt: (name) => controller.abort(name),
  };
}
