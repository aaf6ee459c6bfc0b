// The two methods of DocumentsService that a replica calls, as proto-loader makes them of the file. Answers pass as
// bytes and are read by hand (watch-many-decoder.ts).

import { fileURLToPath } from 'node:url';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** `WatchManyRequest`. */
export interface WatchManyRequest {
  readonly open: ReadonlyArray<{
    readonly id: number;
    readonly watch: {
      readonly space: string;
      readonly key: string;
      readonly afterSeq?: number;
      readonly forCopy: true;
    };
  }>;
  readonly close: readonly number[];
  readonly creditBytes: number;
  readonly heads: ReadonlyArray<{
    readonly number: number;
    readonly ids: readonly number[];
    readonly timeoutMs: number;
  }>;
}

const PROTO_ROOT = fileURLToPath(new URL('../../../../../proto/', import.meta.url));
const SERVICE = 'deltabase.v1.DocumentsService';

const definition = loadSync(['deltabase/v1/documents.proto'], {
  includeDirs: [PROTO_ROOT],
  longs: Number,
});

export const METHODS = {
  WatchMany: method('WatchMany'),
  ListDeltas: method('ListDeltas'),
} as const;

function method(name: string): MethodDefinition<object, object> {
  const service = definition[SERVICE] as Record<string, MethodDefinition<object, object>>;
  const found = service[name];
  if (found === undefined) throw new Error(`the protos lack ${SERVICE}.${name}`);
  return found;
}
