// A call of grpc-js, as far as responses need one, whose frames leave when the test says so.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Loose } from './test-client.js';

export class SlowCall extends EventEmitter {
  /** The messages of the frames that were written. */
  readonly messages: Buffer[] = [];
  status: Loose;
  isEnded = false;
  /** Where grpc-js keeps the stream of HTTP/2: behind an interceptor. */
  readonly call: { readonly nextCall: { readonly stream: SlowCall } } = {
    nextCall: { stream: this },
  };
  readonly #leaving: Array<{ readonly bytes: number; readonly done: () => void }> = [];
  #hasHeaders = false;

  constructor() {
    super();
    this.on('error', (status) => {
      this.status = status;
    });
  }

  get writable(): boolean {
    return !this.isEnded;
  }

  get writableLength(): number {
    return this.#leaving.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  sendMetadata(): void {
    assert.ok(!this.#hasHeaders, 'headers are sent once');
    this.#hasHeaders = true;
  }

  write(frame: Buffer, done: () => void): void {
    assert.ok(this.#hasHeaders && this.writable);
    assert.equal(frame[0], 0, 'it is not compressed');
    assert.equal(frame.readUInt32BE(1), frame.length - 5);
    this.messages.push(Buffer.from(frame.subarray(5)));
    this.#leaving.push({ bytes: frame.length, done });
  }

  end(): void {
    this.isEnded = true;
  }

  readOne(): void {
    this.#leaving.shift()?.done();
  }

  readAll(): void {
    for (const { done } of this.#leaving.splice(0)) done();
  }
}
