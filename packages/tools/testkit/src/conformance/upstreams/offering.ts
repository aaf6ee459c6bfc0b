// A replica that has offered itself, and keeps what it is told.

import type {
  AttachLink,
  AttachListener,
  DocumentName,
  Failure,
  Upstreams,
} from '@deltabase/engine';
import { OutsideCalls } from '../outside-calls.js';

/** What a replica is told that has offered itself. */
export class Offering implements AttachListener {
  /** In its order, in a word each. */
  readonly told: string[] = [];
  readonly link: AttachLink;
  readonly #outside = new OutsideCalls();

  constructor(upstreams: Upstreams, address: string) {
    const place = { name: 'r1', address: '127.0.0.1:7' };
    this.link = this.#outside.into(() => upstreams.attach(address, place, this));
  }

  call(run: (link: AttachLink) => void): void {
    this.#outside.into(() => run(this.link));
  }

  ordered(hold: readonly DocumentName[], release: readonly DocumentName[]): void {
    this.#tell(`hold ${keysOf(hold)} release ${keysOf(release)}`);
  }

  nodes(addresses: readonly string[]): void {
    this.#tell(`nodes ${addresses}`);
  }

  closed(why: Failure): void {
    this.#tell(`closed ${why.code}`);
  }

  #tell(what: string): void {
    this.#outside.holdsWhen(`${what} was told`);
    this.told.push(what);
  }
}

function keysOf(names: readonly DocumentName[]): string {
  return names.map(({ space, key }) => (space === 'log' ? key : `${space}/${key}`)).join();
}
