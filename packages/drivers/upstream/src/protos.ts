// The methods that a replica calls, as proto-loader makes them of the files. Deltas pass as bytes and are read by hand
// (watch-many-decoder.ts).

import { fileURLToPath } from 'node:url';
import type { CopyReport, DocumentName, ReplicaPlace } from '@deltabase/engine';
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

/** `AttachRequest`: the replica first, then reports. */
export type AttachRequest =
  | { readonly replica: ReplicaPlace }
  | { readonly report: { readonly copies: readonly CopyReport[] } };

/** `AttachResponse`. */
export interface AttachResponse {
  readonly hold: readonly DocumentName[];
  readonly release: readonly DocumentName[];
  readonly nodes: readonly string[];
}

const PROTO_ROOT = fileURLToPath(new URL('../../../../../proto/', import.meta.url));
const PACKAGE = 'deltabase.v1';

const definition = loadSync(['deltabase/v1/documents.proto', 'deltabase/v1/replicas.proto'], {
  includeDirs: [PROTO_ROOT],
  longs: Number,
  defaults: true,
});

export const METHODS = {
  WatchMany: method('DocumentsService', 'WatchMany'),
  ListDeltas: method('DocumentsService', 'ListDeltas'),
  Attach: method('ReplicasService', 'Attach') as MethodDefinition<AttachRequest, AttachResponse>,
} as const;

function method(service: string, name: string): MethodDefinition<object, object> {
  const methods = definition[`${PACKAGE}.${service}`] as Record<
    string,
    MethodDefinition<object, object>
  >;
  const found = methods[name];
  if (found === undefined) throw new Error(`the protos lack ${service}.${name}`);
  return found;
}
