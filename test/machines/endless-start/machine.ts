// Its start function never ends, so no instance of it can be made: it cannot be deployed.

import { reply } from '@deltabase/guest-assemblyscript';

let rounds: f64 = 0;
while (true) rounds++;

export function on_ask(): void {
  reply(rounds);
}
