// Watches of a key of etcd: one on each stream, or many on one, as etcd's own client library does.

import type { Client, ClientDuplexStream } from '@grpc/grpc-js';
import { identity } from '../raw/raw-calls.js';
import { versionIn, WATCH, watchRequest, watchResponse } from './etcd-protocol.js';
import type { WatchListener } from './watched.js';

/** Opens one stream and a watch on it for each listener. */
export function watchEtcd(client: Client, key: string, listeners: readonly WatchListener[]): void {
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    WATCH,
    identity,
    identity,
  );
  const byId = new Map<number, WatchListener>();
  let created = 0;
  const fail = (why: Error): void => {
    for (const listener of listeners) listener.failed(why);
  };
  call.on('data', (bytes: Buffer) => {
    const { watchId, isCreated, isCanceled, events } = watchResponse(bytes);
    if (isCanceled) fail(new Error('etcd canceled the watch'));
    if (isCreated) {
      const listener = listeners[created++]!;
      byId.set(watchId, listener);
      listener.began(0);
    }
    const listener = byId.get(watchId);
    for (const event of events) listener?.received(versionIn(event), event);
  });
  call.on('error', fail);
  call.on('end', () => fail(new Error('etcd ended the stream')));
  for (const _ of listeners) call.write(watchRequest(key));
}
