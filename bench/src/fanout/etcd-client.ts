// Calls to one node of etcd, with the gRPC library that our own client uses.

import { Client, credentials } from '@grpc/grpc-js';
import { identity } from '../raw/raw-calls.js';
import {
  type KeyValue,
  keyValueIn,
  type MemberStatus,
  PUT,
  putRequest,
  RANGE,
  rangeRequest,
  STATUS,
  statusIn,
} from './etcd-protocol.js';

const DEADLINE_MS = 10_000;

export class EtcdClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  async put(key: string, value: string): Promise<void> {
    await this.#call(PUT, putRequest(key, value));
  }

  async read(key: string): Promise<KeyValue> {
    return keyValueIn(await this.#call(RANGE, rangeRequest(key)));
  }

  async status(): Promise<MemberStatus> {
    return statusIn(await this.#call(STATUS, Buffer.alloc(0)));
  }

  close(): void {
    this.#client.close();
  }

  #call(path: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + DEADLINE_MS;
      this.#client.makeUnaryRequest(
        path,
        identity,
        identity,
        request,
        { deadline },
        (error, response) => {
          if (error === null) resolve(response!);
          else reject(error);
        },
      );
    });
  }
}
