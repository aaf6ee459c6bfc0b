// The services as the protos under proto/ define them, with those of gRPC's own health check: one package
// definition, so that reflection tells of all. What is large or comes often
// passes as bytes and is read and written by hand (wire/).

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';

/** Every public service. */
export interface Protos {
  readonly all: PackageDefinition;
  readonly documents: ServiceDefinition;
  readonly machines: ServiceDefinition;
  readonly cluster: ServiceDefinition;
  readonly replicas: ServiceDefinition;
}

const PROTO_FOLDER = fileURLToPath(new URL('../../../../../proto', import.meta.url));
const FILES = ['documents', 'machines', 'cluster', 'replicas'].map(
  (name) => `deltabase/v1/${name}.proto`,
);

/** Full names of our services, as health checks ask for them. */
export const SERVICE_NAMES = [
  'deltabase.v1.DocumentsService',
  'deltabase.v1.MachinesService',
  'deltabase.v1.ClusterService',
  'deltabase.v1.ReplicasService',
] as const;

/** Reads the protos. */
export function loadProtos(): Protos {
  const healthFolder = join(dirname(healthProto), '..', '..');
  const all = loadSync([...FILES, 'health/v1/health.proto'], {
    includeDirs: [PROTO_FOLDER, healthFolder],
    longs: Number,
    defaults: true,
  });
  const [documents, machines, cluster, replicas] = SERVICE_NAMES.map((name) =>
    serviceOf(all, name),
  );
  return {
    all,
    documents: withBytes(documents!, {
      SendStream: ['request', 'response'],
      GetMany: ['request', 'response'],
      Watch: ['response'],
      WatchMany: ['response'],
      ListDeltas: ['response'],
    }),
    machines: machines!,
    cluster: withBytes(cluster!, { ReadLog: ['response'] }),
    replicas: replicas!,
  };
}

function serviceOf(all: PackageDefinition, name: string): ServiceDefinition {
  const found = all[name];
  if (found === undefined || 'format' in found) throw new Error(`the protos lack ${name}`);
  return found as ServiceDefinition;
}

/** The service with some of its messages left as bytes. */
function withBytes(
  service: ServiceDefinition,
  methods: Readonly<Record<string, ReadonlyArray<'request' | 'response'>>>,
): ServiceDefinition {
  const changed: Record<string, MethodDefinition<unknown, unknown>> = { ...service };
  for (const [name, sides] of Object.entries(methods)) {
    const method = { ...changed[name]! };
    if (sides.includes('request')) method.requestDeserialize = asBytes;
    if (sides.includes('response')) method.responseSerialize = asIs;
    changed[name] = method;
  }
  return changed as ServiceDefinition;
}

function asBytes(bytes: Buffer): unknown {
  return bytes;
}

function asIs(bytes: unknown): Buffer {
  return bytes as Buffer;
}
