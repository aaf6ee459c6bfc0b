// The frame of every unary call: whatever goes wrong ends the call with a status, once.

import type { Failure, Log } from '@deltabase/engine';
import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import { statusOf, statusOfThrown } from './status.js';

/** How a handler answers: with one of the two, once. */
export interface Answer<Response> {
  done(response: Response): void;
  failed(why: Failure): void;
}

/** A gRPC handler that runs `handle`, which may throw for requests that are malformed. */
export function unary<Request, Response>(
  log: Log,
  handle: (call: ServerUnaryCall<Request, Response>, answer: Answer<Response>) => void,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const answer: Answer<Response> = {
      done: (response) => callback(null, response),
      failed: (why) => callback(statusOf(why)),
    };
    try {
      handle(call, answer);
    } catch (thrown) {
      callback(statusOfThrown(thrown, log));
    }
  };
}
