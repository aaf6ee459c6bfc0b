// Seats of one event: held for a while, confirmed or released, never sold twice. README.md describes the
// state. A hold that ran out counts as free from that moment on, without anything having to tidy up.

import {
  child,
  context,
  Json,
  JsonObject,
  Kind,
  message,
  now,
  patch,
  reject,
  reply,
  state,
} from '@deltabase/guest-assemblyscript';

const HOLD_MS: f64 = 5 * 60_000;
const HOLD_MS_MAX: f64 = 60 * 60_000;
const SEATS_PER_MESSAGE_MAX: i32 = 20;
const SEATS_OPENED_MAX: i64 = 1_000;
const BLOCK_NAME_MAX: i32 = 40;

export function init(): void {
  patch.add('', new JsonObject().set('seats', new JsonObject()).set('sold', 0));
}

/** { block?, rows, seatsPerRow }: lays out the seats `1-1`, `1-2`, ..., or `BLOCK-1-1`, ... Once each. */
export function on_open(): void {
  const block = message.text('/block');
  const prefix = block.length > 0 ? block + '-' : '';
  if (block.length > BLOCK_NAME_MAX) reject('`block` is too long a name');
  if (state.has(child('/seats', prefix + '1-1'))) reject('these seats are laid out already');
  const rows = whole('/rows', 1, SEATS_OPENED_MAX);
  const perRow = whole('/seatsPerRow', 1, SEATS_OPENED_MAX);
  if (rows * perRow > SEATS_OPENED_MAX) {
    reject(
      'a message lays out at most ' + SEATS_OPENED_MAX.toString() + ' seats; use several blocks',
    );
  }
  for (let row: i64 = 1; row <= rows; row++) {
    const path = child('/seats', prefix + row.toString() + '-');
    for (let seat: i64 = 1; seat <= perRow; seat++) patch.add(path + seat.toString(), Json.null());
  }
  reply(rows * perRow);
}

/** { seats: [name], holdMs? }: holds all of them for the sender, or none. Replies until when. */
export function on_hold(): void {
  const holder = sender();
  const until = now() + holdTime();
  const seats = namedSeats();
  for (let i = 0; i < seats.length; i++) {
    const at = seats[i];
    if (state.has(at + '/soldAt')) reject(nameOf(at) + ' is sold');
    if (isHeld(at) && state.text(at + '/by') != holder) reject(nameOf(at) + ' is held by another');
    patch.replace(at, new JsonObject().set('by', holder).set('until', until));
  }
  reply(until);
}

/** { seats: [name] }: sells all of them to the sender, who must hold them still. */
export function on_confirm(): void {
  const seats = namedSeats();
  for (let i = 0; i < seats.length; i++) {
    requireOwnHold(seats[i]);
    patch.replace(seats[i], new JsonObject().set('by', sender()).set('soldAt', now()));
  }
  const sold = state.integer('/sold') + seats.length;
  patch.replace('/sold', sold);
  reply(sold);
}

/** { seats: [name] }: gives up holds of the sender. */
export function on_release(): void {
  const seats = namedSeats();
  for (let i = 0; i < seats.length; i++) {
    requireOwnHold(seats[i]);
    patch.replace(seats[i], Json.null());
  }
}

/** { seats: [name] }: gives back seats that were sold to the sender. */
export function on_refund(): void {
  const seats = namedSeats();
  for (let i = 0; i < seats.length; i++) {
    const at = seats[i];
    if (!state.has(at + '/soldAt') || state.text(at + '/by') != sender()) {
      reject(nameOf(at) + ' is not sold to you');
    }
    patch.replace(at, Json.null());
  }
  patch.replace('/sold', state.integer('/sold') - seats.length);
}

/** Whether somebody holds the seat now. */
function isHeld(at: string): bool {
  return state.number(at + '/until', 0) > now();
}

function requireOwnHold(at: string): void {
  if (!isHeld(at) || state.text(at + '/by') != sender()) reject(nameOf(at) + ' is not held by you');
}

/** Where the seats of the message are. Rejects unknown names and one that is there twice. */
function namedSeats(): string[] {
  const count = message.kind('/seats') == Kind.List ? message.count('/seats') : 0;
  if (count < 1 || count > SEATS_PER_MESSAGE_MAX) {
    reject('`seats` must be a list of 1 to ' + SEATS_PER_MESSAGE_MAX.toString() + ' names');
  }
  const seats: string[] = [];
  for (let i = 0; i < count; i++) {
    const name = message.textOrNull('/seats/' + i.toString());
    if (name === null) reject('`seats` must hold names');
    const at = child('/seats', name!);
    if (!state.has(at)) reject(nameOf(at) + ' does not exist');
    if (seats.includes(at)) reject(nameOf(at) + ' is named twice');
    seats.push(at);
  }
  return seats;
}

function sender(): string {
  const principal = context.principal();
  if (principal.length == 0) reject('seats need a principal: sign in');
  return principal;
}

function holdTime(): f64 {
  return message.has('/holdMs') ? <f64>whole('/holdMs', 1, <i64>HOLD_MS_MAX) : HOLD_MS;
}

/** The whole number at `pointer` of the message; rejects what is out of bounds. */
function whole(pointer: string, least: i64, most: i64): i64 {
  const value = message.number(pointer);
  if (!(value >= <f64>least && value <= <f64>most) || value != Math.floor(value)) {
    const name = pointer.substring(1);
    reject(
      '`' + name + '` must be a whole number from ' + least.toString() + ' to ' + most.toString(),
    );
  }
  return <i64>value;
}

function nameOf(at: string): string {
  return 'seat ' + at.substring('/seats/'.length);
}
