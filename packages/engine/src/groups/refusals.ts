// What a leader tells the senders of messages that it did not execute, or whose fate it does not know.

import { type Failure, failure } from '../results.js';

/** What did not fit into memory is not loaded again sooner. */
const LOAD_RETRY_MS = 100;

export function expired(): Failure {
  return failure('DEADLINE_EXCEEDED', 'the message was not executed in time');
}

export function spaceNotFound(space: string): Failure {
  return failure('SPACE_NOT_FOUND', `no machine is deployed as ${space}: deploy one first`);
}

export function unusable(space: string, version: number): Failure {
  return failure(
    'UNAVAILABLE',
    `version ${version} of ${space} cannot run on this node, whose log says why: deploy another one`,
  );
}

/** Too many documents wait to come into memory. */
export function memoryFull(): Failure {
  return failure(
    'OVERLOADED',
    'this node has no memory for another document now: send the message again later',
    { retryAfterMs: LOAD_RETRY_MS },
  );
}

export function noRoomFor(space: string, version: number): Failure {
  return failure(
    'OVERLOADED',
    `this node has no memory to load version ${version} of ${space} now: send the message again later`,
    { retryAfterMs: LOAD_RETRY_MS },
  );
}

export function numberUsedTwice(number: number): Failure {
  const why = `message ${number} of this session went to another document: number each message anew`;
  return failure('INVALID_ARGUMENT', why);
}

export function outOfOrder(after: number): Failure {
  return failure(
    'OUT_OF_ORDER',
    `message ${after} of the session, which must come before, was not executed: send both again`,
  );
}

export function leadershipLost(): Failure {
  return failure(
    'UNAVAILABLE',
    'the leader changed before the message was committed: send it again under the same number',
    { outcomeUnknown: true },
  );
}
