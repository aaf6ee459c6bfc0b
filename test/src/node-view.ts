// One node of a cluster as it sees itself: calls that go to that node and to no other, unlike the client's,
// which finds its own way.

import { DeltabaseError, type ErrorCode, isErrorCode } from '@deltabase/base';
import { Connection } from '@deltabase/grpc-connection';
import {
  type ChannelCredentials,
  type Client,
  loadPackageDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ROOT } from './workspace.js';

export interface NodeDocument {
  readonly seq: number;
  readonly hash: string;
  /** The state, as its canonical JSON says. */
  readonly value: unknown;
}

/** A message under a session, as the protos say it; what is left out is 0, false or empty. */
export interface NodeMessage {
  readonly space: string;
  readonly key: string;
  readonly channel: string;
  readonly payload: unknown;
  readonly session: { readonly name: string; readonly openedAtMs: number };
  readonly number: number;
  readonly retried?: boolean;
}

export interface NodeGroup {
  readonly group: number;
  readonly role: string;
  readonly leader: number;
  readonly term: number;
  readonly appliedIndex: number;
  readonly commitIndex: number;
}

export interface NodeReport {
  readonly node: number;
  readonly uptimeMs: number;
  readonly groups: readonly NodeGroup[];
  readonly counters: Readonly<Record<string, number>>;
}

type UnaryClient = Client & Record<string, (...args: unknown[]) => void>;
type ClientClass = new (
  address: string,
  credentials: ChannelCredentials,
  options: object,
) => UnaryClient;

const CALL_MS = 20_000;
/** A node that comes back is seen at once, also by views that saw it go. */
const RECONNECT_MS = 50;
const CHANNEL = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': RECONNECT_MS,
  'grpc.min_reconnect_backoff_ms': RECONNECT_MS,
  'grpc.max_reconnect_backoff_ms': RECONNECT_MS,
};
const services = loadServices();

export class NodeView {
  readonly #connections: readonly Connection[] = [new Connection(), new Connection()];
  readonly #documents: UnaryClient;
  readonly #cluster: UnaryClient;

  /** Runs `use` with a view that is closed afterwards, however it ends. */
  static async with<T>(address: string, use: (view: NodeView) => Promise<T>): Promise<T> {
    const view = new NodeView(address);
    try {
      return await use(view);
    } finally {
      view.close();
    }
  }

  constructor(address: string) {
    const [documents, cluster] = this.#connections;
    this.#documents = new services.DocumentsService(address, documents!, CHANNEL);
    this.#cluster = new services.ClusterService(address, cluster!, CHANNEL);
  }

  /** The document as this node holds it once it has `atLeastSeq`. */
  document(space: string, key: string, atLeastSeq: number): Promise<NodeDocument> {
    return this.#get({ space, key, mode: 'READ_MODE_AT_LEAST_SEQ', atLeastSeq });
  }

  /** The document as it is now, whatever this node has heard of that so far. */
  latest(space: string, key: string): Promise<NodeDocument> {
    return this.#get({ space, key, mode: 'READ_MODE_LINEARIZABLE' });
  }

  /** Sends a message through this node, once. Its answer in words: `accepted`, or what the error says. */
  async send({ session, payload, ...rest }: NodeMessage): Promise<string> {
    const message = { ...rest, payload: Buffer.from(JSON.stringify(payload)) };
    try {
      await call(this.#documents, 'Send', { message, session });
      return 'accepted';
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      return thrown.message;
    }
  }

  /** Resolves when a connection stands, so that a call leaves this process at once. */
  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#documents.waitForReady(Date.now() + CALL_MS, (error) =>
        error === undefined ? resolve() : reject(error),
      );
    });
  }

  status(): Promise<NodeReport> {
    return call<NodeReport>(this.#cluster, 'GetStatus', {});
  }

  close(): void {
    this.#documents.close();
    this.#cluster.close();
    // Nor does one stay open to a node that has vanished.
    for (const connection of this.#connections) connection.destroy();
  }

  async #get(request: object): Promise<NodeDocument> {
    const found = await call<{ seq: number; hash: string; value: Buffer }>(
      this.#documents,
      'Get',
      request,
    );
    const { seq, hash, value } = found;
    return { seq, hash, value: JSON.parse(value.toString('utf8')) };
  }
}

function call<T>(client: UnaryClient, method: string, request: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + CALL_MS;
    const options = { deadline };
    const done = (error: ServiceError | null, response: T): void =>
      error === null ? resolve(response) : reject(errorOf(error));
    client[method]!(request, options, done);
  });
}

/** What the node says in the trailer, or what became of the call on its way. */
function errorOf(error: ServiceError): Error {
  const [trailer] = error.metadata.get('deltabase-error-bin');
  const code = trailer === undefined ? codeOnTheWay(error.code) : codeIn(trailer as Buffer);
  if (code === undefined) return error;
  return new DeltabaseError(code, error.details, { cause: error });
}

/** The first field of deltabase.v1.Error, a short text; `undefined`: it is no code that is known. */
function codeIn(trailer: Buffer): ErrorCode | undefined {
  const code = trailer.toString('utf8', 2, 2 + trailer[1]!);
  return isErrorCode(code) ? code : undefined;
}

/** A node that ends cancels its calls; whatever else gRPC may say by itself is a defect. */
function codeOnTheWay(code: status): ErrorCode | undefined {
  if (code === status.UNAVAILABLE || code === status.CANCELLED) return 'UNAVAILABLE';
  return code === status.DEADLINE_EXCEEDED ? 'DEADLINE_EXCEEDED' : undefined;
}

function loadServices(): { DocumentsService: ClientClass; ClusterService: ClientClass } {
  const files = ['deltabase/v1/documents.proto', 'deltabase/v1/cluster.proto'];
  const options = { includeDirs: [`${ROOT}proto`], longs: Number, defaults: true, enums: String };
  const loaded = loadPackageDefinition(loadSync(files, options)) as unknown as {
    deltabase: { v1: { DocumentsService: ClientClass; ClusterService: ClientClass } };
  };
  return loaded.deltabase.v1;
}
