// The connection under a channel, in the hands of whoever opened the channel. gRPC closes
// connections politely and waits for the host to do the same; one that has vanished never does, so that its connection
// stays open, one more with each attempt, and keeps its process alive. These can be destroyed.

import type { Socket } from 'node:net';
import { ChannelCredentials, credentials } from '@grpc/grpc-js';

type CreateConnector = ChannelCredentials['_createSecureConnector'];

/** Credentials for one channel; they pass on what other credentials do, and remember its sockets. */
export class Connection extends ChannelCredentials {
  readonly #inner = credentials.createInsecure();
  readonly #sockets = new Set<Socket>();
  #isDestroyed = false;

  /** Closes what is open, and what the channel still opens, at once. */
  destroy(): void {
    this.#isDestroyed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(
    ...parameters: Parameters<CreateConnector>
  ): ReturnType<CreateConnector> {
    const connector = this.#inner._createSecureConnector(...parameters);
    return {
      connect: (socket) => {
        this.#own(socket);
        return connector.connect(socket);
      },
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    if (this.#isDestroyed) socket.destroy();
  }
}
