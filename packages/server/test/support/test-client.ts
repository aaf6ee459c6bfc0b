// A client that knows nothing but the protos, through the loader's generic code: what it understands, any
// gRPC client understands.

import { fileURLToPath } from 'node:url';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';

const PROTO_FOLDER = fileURLToPath(new URL('../../../../../proto', import.meta.url));
const HEALTH_FOLDER = fileURLToPath(new URL('../..', new URL(`file://${healthProto}`)));

// biome-ignore lint/suspicious/noExplicitAny: messages of any form, good and bad, go through here.
export type Loose = any;

/** All protos, as a client would load them. */
export const protos: PackageDefinition = loadSync(
  [
    'deltabase/v1/documents.proto',
    'deltabase/v1/machines.proto',
    'deltabase/v1/cluster.proto',
    'deltabase/v1/replicas.proto',
    'health/v1/health.proto',
  ],
  { includeDirs: [PROTO_FOLDER, HEALTH_FOLDER], longs: Number, defaults: true, enums: String },
);

// biome-ignore lint/suspicious/noExplicitAny: the loader's tree of constructors.
const tree = loadPackageDefinition(protos) as any;

/** Turns messages of a type into bytes and back by the loader's own code. */
export function codecOf(name: string): {
  encode(value: Loose): Buffer;
  decode(bytes: Buffer): Loose;
} {
  const type = protos[name] as Loose;
  return { encode: type.serialize, decode: type.deserialize };
}

export class TestClient {
  readonly #documents: Loose;
  readonly #machines: Loose;
  readonly #cluster: Loose;
  readonly #replicas: Loose;
  readonly #health: Loose;

  constructor(address: string) {
    const { DocumentsService, MachinesService, ClusterService, ReplicasService } =
      tree.deltabase.v1;
    const open = (Service: Loose): Loose =>
      new Service(address, credentials.createInsecure(), {
        'grpc.max_receive_message_length': 16 * 2 ** 20,
      });
    this.#documents = open(DocumentsService);
    this.#machines = open(MachinesService);
    this.#cluster = open(ClusterService);
    this.#replicas = open(ReplicasService);
    this.#health = open(tree.grpc.health.v1.Health);
  }

  /** A unary call of any of the services. Rejects with the ServiceError. */
  call(method: string, request: Loose, options: { deadline?: Date } = {}): Promise<Loose> {
    const service = this.#serviceOf(method);
    return new Promise((resolve, reject) => {
      service[method](request, options, (error: ServiceError | null, response: Loose) =>
        error === null ? resolve(response) : reject(error),
      );
    });
  }

  /** The same; with the initial metadata of the answer. */
  callAndHead(method: string, request: Loose): Promise<{ response: Loose; head: Metadata }> {
    return new Promise((resolve, reject) => {
      let head: Metadata | undefined;
      const call = this.#serviceOf(method)[method](
        request,
        (error: ServiceError | null, response: Loose) =>
          error === null ? resolve({ response, head: head! }) : reject(error),
      );
      call.on('metadata', (metadata: Metadata) => {
        head = metadata;
      });
    });
  }

  /** Sends one message to a document, outside of any session. */
  send(space: string, key: string, channel: string, payload: unknown): Promise<Loose> {
    return this.call('send', { message: { space, key, channel, payload: json(payload) } });
  }

  sendStream(): SendCalls {
    return new SendCalls(this.#documents.sendStream());
  }

  getMany(): SendCalls {
    return new SendCalls(this.#documents.getMany());
  }

  watch(request: Loose): Received {
    return new Received(this.#documents.watch(request));
  }

  listDeltas(request: Loose): Received {
    return new Received(this.#documents.listDeltas(request));
  }

  readLog(request: Loose): Received {
    return new Received(this.#cluster.readLog(request));
  }

  watchHealth(service: string): Received {
    return new Received(this.#health.watch({ service }));
  }

  close(): void {
    for (const each of this.#services) each.close();
  }

  get #services(): Loose[] {
    return [this.#documents, this.#machines, this.#cluster, this.#replicas, this.#health];
  }

  #serviceOf(method: string): Loose {
    return this.#services.find((each) => method in each);
  }
}

/** What a streaming call gave, and how it ended. */
export class Received {
  readonly call: ClientReadableStream<Loose>;
  readonly responses: Loose[] = [];
  /** The initial metadata, once it is there. */
  head: Metadata | undefined;
  /** `undefined` while it goes on; a status without an error is 0. */
  status: { code: number; details: string; metadata: Metadata } | undefined;

  constructor(call: ClientReadableStream<Loose>) {
    this.call = call;
    call.on('data', (response) => this.responses.push(response));
    call.on('error', () => {});
    call.on('metadata', (metadata) => {
      this.head = metadata;
    });
    call.on('status', (status) => {
      this.status = status;
    });
  }

  /** The elements of a repeated field of all responses. */
  all(field: string): Loose[] {
    return this.responses.flatMap((response) => response[field]);
  }
}

/** A call of which both sides are streams. */
export class SendCalls extends Received {
  readonly #call: ClientDuplexStream<Loose, Loose>;

  constructor(call: ClientDuplexStream<Loose, Loose>) {
    super(call);
    this.#call = call;
  }

  get results(): Loose[] {
    return this.all('results');
  }

  write(request: Loose): void {
    this.#call.write(request);
  }

  end(): void {
    this.#call.end();
  }
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** deltabase.v1.Error in the trailer of a failed call. */
export function errorIn(failed: { metadata: Metadata }): Loose {
  const [bytes] = failed.metadata.get('deltabase-error-bin');
  return bytes === undefined ? undefined : codecOf('deltabase.v1.Error').decode(bytes as Buffer);
}
