// A member of a cluster that is none: it greets like one, on both lanes and in both directions, and then says
// what a test wants. It knows nothing but peer.proto.

import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Loose } from './test-client.js';
import { until } from './until.js';

const PROTO_FOLDER = fileURLToPath(new URL('../../../../../proto', import.meta.url));
const LANES = ['urgent', 'bulk'];
const { PeerService } = (
  loadPackageDefinition(
    loadSync('deltabase/internal/v1/peer.proto', { includeDirs: [PROTO_FOLDER], longs: Number }),
  ) as Loose
).deltabase.internal.v1;

export interface FakePeerOptions {
  readonly cluster: string;
  readonly node: number;
  /** The real node. */
  readonly peer: number;
}

export class FakePeer {
  readonly port: number;
  /** Frames that the real node sent, of both lanes. */
  readonly frames: Buffer[] = [];
  readonly #options: FakePeerOptions;
  readonly #server: Server;
  readonly #streams = new Map<string, Loose>();
  #client: Loose;

  static async open(options: FakePeerOptions): Promise<FakePeer> {
    const server = new Server({ 'grpc.enable_channelz': 0 });
    const streams = new Map<string, Loose>();
    server.addService(PeerService.service, {
      Subscribe(call: Loose) {
        const lane = String(call.metadata.get('deltabase-lane')[0]);
        call.sendMetadata(greeting(options, lane));
        streams.set(lane, call);
      },
    });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    return new FakePeer(options, server, streams, port);
  }

  private constructor(
    options: FakePeerOptions,
    server: Server,
    streams: Map<string, Loose>,
    port: number,
  ) {
    this.#options = options;
    this.#server = server;
    this.#streams = streams;
    this.port = port;
  }

  /** Subscribes to the real node, and waits until that has done the same. */
  async meet(address: string): Promise<void> {
    this.#client = new PeerService(address, credentials.createInsecure());
    for (const lane of LANES) {
      const call = this.#client.Subscribe({}, greeting(this.#options, lane));
      call.on('error', () => {}); // The end of the real node ends it.
      call.on('data', ({ frame }: Loose) => this.frames.push(frame));
    }
    await until(() => this.#streams.size === LANES.length);
  }

  /** Sends a frame under a checksum that is right, or not. */
  send(lane: string, frame: Buffer, crc = crc32(frame)): void {
    this.#streams.get(lane).write({ crc, frame });
  }

  close(): void {
    this.#client?.close();
    this.#server.tryShutdown(() => {});
    this.#server.forceShutdown();
  }
}

function greeting({ cluster, node, peer }: FakePeerOptions, lane: string): Metadata {
  const metadata = new Metadata();
  metadata.set('deltabase-protocol', '1');
  metadata.set('deltabase-cluster', cluster);
  metadata.set('deltabase-node', String(node));
  metadata.set('deltabase-peer', String(peer));
  metadata.set('deltabase-lane', lane);
  return metadata;
}
