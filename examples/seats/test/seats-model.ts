// The seats as a table of who holds or owns which, in plain TypeScript, and commands for fast-check that
// drive it and the machine alike. Any number of seats a message, good and bad ones, and time passing.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ExampleDocument } from '../../harness.js';

interface Held {
  readonly by: string;
  readonly until: number;
}
interface Sold {
  readonly by: string;
  readonly soldAt: number;
}

export interface SeatsState {
  readonly sold: number;
  readonly seats: Readonly<Record<string, Held | Sold | null>>;
}

export interface Model {
  now: number;
  readonly seats: Map<string, Held | Sold | null>;
}

type Command = fc.Command<Model, ExampleDocument>;

export function stateOf(seats: ExampleDocument): SeatsState {
  return seats.state as unknown as SeatsState;
}

/** A model with all seats free. */
export function newModel(rows: number, seatsPerRow: number): Model {
  const names = Array.from({ length: rows * seatsPerRow }, (_, i) => {
    return `${1 + Math.floor(i / seatsPerRow)}-${1 + (i % seatsPerRow)}`;
  });
  return { now: 1_700_000_000_000, seats: new Map(names.map((name) => [name, null])) };
}

/** All channels, by three people. */
export function seatCommands(): fc.Arbitrary<Command>[] {
  const by = fc.constantFrom('anna', 'ben', 'chris');
  const names = fc.uniqueArray(fc.constantFrom('1-1', '1-2', '2-1', '2-2'), {
    minLength: 1,
    maxLength: 3,
  });
  const order = fc.record({ by, names, holdMs: fc.integer({ min: 1, max: 300 }) });
  return [
    order.map(({ by, names, holdMs }) =>
      command('hold', { by, names, holdMs }, (model, seat) => {
        const free = seat === null || ('until' in seat && seat.until <= model.now);
        const own = seat !== null && 'until' in seat && seat.by === by;
        return free || own ? { by, until: model.now + holdMs } : undefined;
      }),
    ),
    order.map(({ by, names }) =>
      command('confirm', { by, names }, (model, seat) => {
        return holds(model, seat, by) ? { by, soldAt: model.now } : undefined;
      }),
    ),
    order.map(({ by, names }) =>
      command('release', { by, names }, (model, seat) => {
        return holds(model, seat, by) ? null : undefined;
      }),
    ),
    order.map(({ by, names }) =>
      command('refund', { by, names }, (_, seat) => {
        return seat !== null && 'soldAt' in seat && seat.by === by ? null : undefined;
      }),
    ),
    fc.integer({ min: 1, max: 200 }).map((ms) => ({
      check: () => true,
      run(model: Model) {
        model.now += ms;
      },
      toString: () => `wait ${ms}`,
    })),
  ];
}

function holds(model: Model, seat: Held | Sold | null, by: string): boolean {
  return seat !== null && 'until' in seat && seat.by === by && seat.until > model.now;
}

/** A command that makes of each named seat what `change` says; `undefined`: all of it is rejected. */
function command(
  channel: string,
  order: { readonly by: string; readonly names: readonly string[]; readonly holdMs?: number },
  change: (model: Model, seat: Held | Sold | null) => Held | Sold | null | undefined,
): Command {
  const { by, names, holdMs } = order;
  const payload = holdMs === undefined ? { seats: names } : { seats: names, holdMs };
  return {
    check: () => true,
    run(model, real) {
      real.time = model.now;
      const changed = names.map((name) => change(model, model.seats.get(name)!));
      if (changed.includes(undefined)) {
        real.rejected(channel, payload, by);
      } else {
        real.do(channel, payload, by);
        for (const [i, name] of names.entries()) model.seats.set(name, changed[i]!);
      }
      compare(model, stateOf(real));
    },
    toString: () => `${channel} ${by} ${names.join()}`,
  };
}

function compare(model: Model, state: SeatsState): void {
  assert.deepEqual(state.seats, Object.fromEntries([...model.seats].sort()));
  const sold = Object.values(state.seats).filter((seat) => seat !== null && 'soldAt' in seat);
  assert.equal(state.sold, sold.length);
}
