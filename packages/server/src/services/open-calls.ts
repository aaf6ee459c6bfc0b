// Every call that is open, whatever its service, so that a server that stops can end each of them: a call
// left open would hold its connection, and its caller, until something times out.

import type { Failure } from '@deltabase/engine';
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import { statusOf } from './status.js';

interface OpenCall {
  readonly call: ServerInterceptingCallInterface;
  /** It has its status: what its handler still writes goes nowhere. */
  isEnded: boolean;
}

export class OpenCalls {
  readonly #calls = new Set<OpenCall>();

  /** Notes every call that passes. */
  readonly interceptor: ServerInterceptor = (_method, call) => {
    const open: OpenCall = { call, isEnded: false };
    this.#calls.add(open);
    const listener = new ServerListenerBuilder().withOnCancel(() => {
      this.#calls.delete(open);
    });
    return new ServerInterceptingCall(call, {
      start: (next) => next(listener.build()),
      sendMessage: (message, next) => {
        if (!open.isEnded) next(message);
      },
      sendStatus: (status, next) => {
        this.#calls.delete(open);
        if (!open.isEnded) next(status);
        open.isEnded = true;
      },
    });
  };

  /** Ends them all. What they have written leaves before. */
  endAll(why: Failure): void {
    for (const open of this.#calls) {
      open.isEnded = true;
      open.call.sendStatus(statusOf(why));
    }
    this.#calls.clear();
  }
}
