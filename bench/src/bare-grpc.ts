// The ceiling of the network: a gRPC server that answers with what it got, in a process of its own.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  type Client,
  credentials,
  makeClientConstructor,
  type ServiceDefinition,
} from '@grpc/grpc-js';

const identity = (bytes: Buffer): Buffer => bytes;

/** Calls that pass bytes as they are. */
export const ECHO: ServiceDefinition = {
  unary: {
    path: '/bench.Echo/Unary',
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
  stream: {
    path: '/bench.Echo/Stream',
    requestStream: true,
    responseStream: true,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};

const MESSAGE = Buffer.alloc(200, 3);
const STREAM_IN_FLIGHT = 256;

type EchoCalls = Client & {
  unary(request: Buffer, done: (error: Error | null, response: Buffer) => void): void;
  stream(): NodeJS.ReadWriteStream & { write(message: Buffer): boolean };
};

/** What bare grpc-js does between two processes of this machine. */
export class BareGrpc {
  readonly #client: EchoCalls;

  /** Runs `use` with a client of an echo server; nothing of them stays. */
  static async with<T>(use: (grpc: BareGrpc) => Promise<T>): Promise<T> {
    const server = fork(fileURLToPath(new URL('./bare-grpc-server.js', import.meta.url)));
    const [port] = (await once(server, 'message')) as [number];
    const EchoClient = makeClientConstructor(ECHO, 'Echo');
    const client = new EchoClient(`127.0.0.1:${port}`, credentials.createInsecure());
    try {
      return await use(new BareGrpc(client as unknown as EchoCalls));
    } finally {
      client.close();
      await stop(server);
    }
  }

  private constructor(client: EchoCalls) {
    this.#client = client;
  }

  /** Times of `calls` unary calls with 200 bytes there and back, one after the other, ms. */
  async timeUnary(calls: number): Promise<number[]> {
    const times: number[] = [];
    for (let n = 0; n < calls; n++) {
      const start = performance.now();
      await new Promise<void>((resolve, reject) => {
        this.#client.unary(MESSAGE, (error) => (error ? reject(error) : resolve()));
      });
      times.push(performance.now() - start);
    }
    return times;
  }

  /** Times of one message after the other on one bidirectional stream, ms. */
  async timeStream(messages: number): Promise<number[]> {
    const stream = this.#client.stream();
    const times: number[] = [];
    for (let n = 0; n < messages; n++) {
      const start = performance.now();
      stream.write(MESSAGE);
      await once(stream, 'data');
      times.push(performance.now() - start);
    }
    await finish(stream);
    return times;
  }

  /** Messages of 200 bytes a second on one stream, 256 in flight, one a frame. */
  async streamPerSecond(messages: number): Promise<number> {
    const stream = this.#client.stream();
    let sent = 0;
    let received = 0;
    const start = performance.now();
    await new Promise<void>((resolve) => {
      stream.on('data', () => {
        received++;
        if (sent < messages) {
          sent++;
          stream.write(MESSAGE);
        } else if (received === messages) {
          resolve();
        }
      });
      while (sent < Math.min(STREAM_IN_FLIGHT, messages)) {
        sent++;
        stream.write(MESSAGE);
      }
    });
    const seconds = (performance.now() - start) / 1000;
    await finish(stream);
    return messages / seconds;
  }
}

/** Ends a stream and waits until the server has, too. */
async function finish(stream: NodeJS.ReadWriteStream): Promise<void> {
  const ended = once(stream, 'end');
  stream.resume();
  stream.end();
  await ended;
}

async function stop(server: ChildProcess): Promise<void> {
  const exited = once(server, 'exit');
  server.kill();
  await exited;
}
