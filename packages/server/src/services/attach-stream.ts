// One Attach call: a replica that offers itself to this process, for as long as the stream lasts. It is told which copies
// to keep, and says what it has of them.

import type { Limits } from '@deltabase/base';
import type {
  Attached,
  CopyReport,
  DocumentName,
  Failure,
  ReplicaPlace,
  ReplicaRegistry,
} from '@deltabase/engine';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { isPlace } from '../config/members.js';
import { invalid } from './requests.js';
import { type CallStatus, statusOf } from './status.js';

/** `AttachRequest` as proto-loader gives it. */
export interface AttachRequest {
  readonly replica: ReplicaPlace | null;
  readonly report: { readonly copies: readonly CopyReport[] } | null;
}

/** `AttachResponse`. */
export interface AttachResponse {
  readonly hold?: readonly DocumentName[];
  readonly release?: readonly DocumentName[];
  readonly nodes?: readonly string[];
}

export interface AttachHost {
  readonly registry: ReplicaRegistry;
  readonly limits: Pick<Limits, 'ordersMax'>;
  /** Where clients reach the nodes of the cluster; none, if this is no node. */
  nodes(): readonly string[];
  statusOfThrown(thrown: unknown): CallStatus;
}

const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;

export class AttachStream {
  readonly #call: ServerDuplexStream<AttachRequest, AttachResponse>;
  readonly #host: AttachHost;
  #attached: Attached | undefined;
  /** The nodes as they were last told. */
  #told = '';
  #isEnded = false;

  constructor(call: ServerDuplexStream<AttachRequest, AttachResponse>, host: AttachHost) {
    this.#call = call;
    this.#host = host;
    call.on('data', (request: AttachRequest) => this.#received(request));
    call.on('cancelled', () => this.#detach());
    call.on('end', () => {
      this.#detach();
      if (!this.#isEnded) call.end();
      this.#isEnded = true;
    });
  }

  #received({ replica, report }: AttachRequest): void {
    if (this.#isEnded) return;
    try {
      if (replica !== null) this.#attach(replica);
      if (report !== null) this.#report(report.copies);
    } catch (thrown) {
      this.#end(this.#host.statusOfThrown(thrown));
    }
  }

  #attach(place: ReplicaPlace): void {
    if (this.#attached !== undefined) throw invalid('the replica has said who it is already');
    const { name, address } = place;
    if (!NAME.test(name)) throw invalid('a replica needs a name: 1 to 63 of a-z 0-9 . -');
    if (!isPlace(address))
      throw invalid(`the replica's address ${JSON.stringify(address)} is none`);
    this.#attached = this.#host.registry.attach(
      { name, address },
      {
        ordered: (hold, release) => void this.#call.write({ hold, release }),
        ended: (why: Failure) => this.#end(statusOf(why)),
      },
    );
    this.#tellNodes();
  }

  #report(copies: readonly CopyReport[]): void {
    if (this.#attached === undefined) throw invalid('a replica says first who it is');
    const { ordersMax } = this.#host.limits;
    if (copies.length > ordersMax) {
      throw invalid(`a report tells of ${ordersMax} copies at most, not of ${copies.length}`);
    }
    if (!copies.every(isReport)) throw invalid('rates are numbers from 0 on');
    this.#attached.report(copies);
    this.#tellNodes();
  }

  #tellNodes(): void {
    const nodes = this.#host.nodes();
    const told = nodes.join();
    if (told === this.#told) return;
    this.#told = told;
    this.#call.write({ nodes });
  }

  #end(status: CallStatus): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#call.emit('error', status);
    this.#detach();
  }

  #detach(): void {
    this.#attached?.detach();
    this.#attached = undefined;
  }
}

function isReport({ readsPerSecond, deliveriesPerSecond, bytesPerSecond }: CopyReport): boolean {
  const rates = [readsPerSecond, deliveriesPerSecond, bytesPerSecond];
  return rates.every((rate) => Number.isFinite(rate) && rate >= 0);
}
