// A work queue: first in, first out, each item leased to one worker for a while, given to another when the
// worker does not acknowledge in time, put aside after too many attempts. README.md describes the state.
// Every message touches a few members whose names begin what they are sorted by: nothing costs more in a
// longer queue.

import {
  child,
  Json,
  JsonArray,
  JsonObject,
  message,
  now,
  patch,
  reject,
  reply,
  state,
} from '@deltabase/guest-assemblyscript';

const LEASE_MS: f64 = 30_000;
const LEASE_MS_MAX: f64 = 12 * 3_600_000;
const ATTEMPTS_MAX: i32 = 5;
const BATCH_MAX: i64 = 32;
/** Leases that one message gives back when they ran out, at most. */
const EXPIRED_MAX: i32 = 64;

const READY = '/ready';
const LEASED = '/leased';
const DEAD = '/dead';

export function init(): void {
  patch.add(
    '',
    new JsonObject()
      .set('next', 1)
      .set('attemptsMax', ATTEMPTS_MAX)
      .set('ready', new JsonObject())
      .set('leased', new JsonObject())
      .set('dead', new JsonObject()),
  );
}

/** { body }: adds an item; replies with its id. */
export function on_enqueue(): void {
  if (!message.has('/body')) reject('`body` is missing');
  const next = state.integer('/next');
  const id = padded(next, 12);
  const item = new JsonObject()
    .set('attempts', 0)
    .set('body', new Json(message.json('/body')))
    .set('enqueuedAt', now());
  patch.add(child(READY, id), item);
  patch.replace('/next', next + 1);
  reply(id);
}

/** { leaseMs?, max? }: leases up to `max` items; replies with a list, empty when there is nothing. */
export function on_receive(): void {
  const leaseMs = leaseTime();
  const most = wholeBetween('/max', 1, 1, BATCH_MAX);
  giveBackExpired();
  const received = new JsonArray();
  for (let i: i64 = 0; i < most; i++) {
    const id = state.key(READY);
    if (id === null) break;
    received.add(lease(id, now() + leaseMs));
  }
  reply(received);
}

/** { receipt }: the work is done, the item goes away. */
export function on_ack(): void {
  patch.remove(heldLease());
}

/** { receipt }: the work failed, the item goes back at once. */
export function on_nack(): void {
  giveBack(heldLease());
}

/** { receipt, leaseMs? }: more time from now on; replies with the new receipt. */
export function on_extend(): void {
  const from = heldLease();
  const receipt = receiptOf(now() + leaseTime(), idOf(from), state.integer(from + '/attempts'));
  const to = child(LEASED, receipt);
  if (to != from) patch.move(from, to);
  reply(receipt);
}

/** Gives back leases that ran out, without waiting for a worker to ask. */
export function on_sweep(): void {
  reply(giveBackExpired());
}

/** { max? }: dead items become ready again, with no attempt counted; replies how many. */
export function on_redrive(): void {
  const most = wholeBetween('/max', 1, 1, BATCH_MAX);
  let moved: i64 = 0;
  for (; moved < most; moved++) {
    const id = state.key(DEAD);
    if (id === null) break;
    patch.replace(child(DEAD, id) + '/attempts', 0);
    patch.move(child(DEAD, id), child(READY, id));
  }
  reply(moved);
}

/** { attemptsMax }: how often an item is given out before it is put aside. */
export function on_configure(): void {
  patch.replace('/attemptsMax', wholeBetween('/attemptsMax', ATTEMPTS_MAX, 1, 1000));
}

/** Moves the ready item `id` under a lease until `until`; returns what the worker gets. */
function lease(id: string, until: f64): Json {
  const item = child(READY, id);
  const attempts = state.integer(item + '/attempts') + 1;
  const receipt = receiptOf(until, id, attempts);
  const body = state.json(item + '/body');
  patch.replace(item + '/attempts', attempts);
  patch.move(item, child(LEASED, receipt));
  return new JsonObject()
    .set('id', id)
    .set('receipt', receipt)
    .set('attempts', attempts)
    .set('body', new Json(body));
}

/** Where the lease of the message's receipt is. Rejects one that is unknown or ran out. */
function heldLease(): string {
  const receipt = message.text('/receipt');
  const at = child(LEASED, receipt);
  if (receipt.length == 0 || !state.has(at)) {
    reject('there is no such lease: acknowledged, given back or given to another worker');
  }
  if (untilOf(at) <= now()) reject('the lease ran out; the item may be with another worker');
  return at;
}

/** Gives back the leases that ran out, oldest first; returns how many. */
function giveBackExpired(): i32 {
  let given = 0;
  for (; given < EXPIRED_MAX; given++) {
    const receipt = state.key(LEASED);
    if (receipt === null) break;
    const at = child(LEASED, receipt);
    if (untilOf(at) > now()) break;
    giveBack(at);
  }
  return given;
}

/** The leased item at `at` becomes ready again in its old place, or dead after its last attempt. */
function giveBack(at: string): void {
  const dead = state.integer(at + '/attempts') >= state.integer('/attemptsMax');
  patch.move(at, child(dead ? DEAD : READY, idOf(at)));
}

/** A receipt sorts by the time at which it runs out, and no two leases of an item have the same. */
function receiptOf(until: f64, id: string, attempts: i64): string {
  return padded(<i64>until, 15) + '-' + id + '-' + attempts.toString();
}

function untilOf(lease: string): f64 {
  const start = LEASED.length + 1;
  return <f64>I64.parseInt(lease.substring(start, start + 15));
}

function idOf(lease: string): string {
  const start = LEASED.length + 17;
  return lease.substring(start, lease.indexOf('-', start));
}

function leaseTime(): f64 {
  return <f64>wholeBetween('/leaseMs', <i64>LEASE_MS, 1, <i64>LEASE_MS_MAX);
}

/** The whole number at `pointer` of the message, or `otherwise`; rejects what is out of bounds. */
function wholeBetween(pointer: string, otherwise: i64, least: i64, most: i64): i64 {
  if (!message.has(pointer)) return otherwise;
  const value = message.number(pointer);
  if (!(value >= <f64>least && value <= <f64>most) || value != Math.floor(value)) {
    const name = pointer.substring(1);
    reject(
      '`' + name + '` must be a whole number from ' + least.toString() + ' to ' + most.toString(),
    );
  }
  return <i64>value;
}

/** `value` in decimal with zeros in front: such names sort as their numbers do. */
function padded(value: i64, digits: i32): string {
  return value.toString().padStart(digits, '0');
}
