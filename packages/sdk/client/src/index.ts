// @deltabase/client: the TypeScript client of a Deltabase cluster.
//
//   const client = await connect({ addresses: ['127.0.0.1:7410'] });
//   const counter = client.document<{ count: number }>('counter', 'visits');
//   const { seq, reply } = await counter.send('add', { by: 1 });
//   for await (const event of counter.watch()) console.log(event);
//   await client.close();

export { DeltabaseError, type ErrorCode } from '@deltabase/base';
export type { Json, JsonObject } from '@deltabase/delta';
export type { DeltaRecord } from '@deltabase/machine';
export { Client, type CloseOptions, connect } from './client.js';
export type {
  ClusterInfo,
  HotOptions,
  HotReport,
  LogOptions,
  NodeFailure,
  NodeReport,
  NodeStatus,
  ReplicaStatus,
  StatusOptions,
} from './cluster-info.js';
export type {
  DocumentHandle,
  GetOptions,
  HistoryOptions,
  MessageToSend,
  WatchOptions,
} from './documents.js';
export type { DocumentHeat } from './heat.js';
export { CLIENT_LIMITS, type ClientLimits } from './limits.js';
export {
  type LiveChange,
  LiveDocument,
  type LiveListener,
  type LiveOptions,
} from './live/live-document.js';
export type {
  DeployOptions,
  DeployResult,
  GetMachineOptions,
  MachineInfo,
  Machines,
  MachineVersion,
} from './machines.js';
export type {
  AddMemberOptions,
  ChangeOptions,
  MemberChange,
  MemberList,
  Members,
  NewMember,
  Recovery,
} from './members.js';
export type { CallOptions, ConnectOptions } from './options.js';
export type {
  AnyWatchEvent,
  Cause,
  ComposedEvent,
  DeltaEvent,
  Operation,
  ProgressEvent,
  StateEvent,
  ViewEvent,
  WatchEvent,
} from './reading/events.js';
export type { ReadMode, ReadResult } from './reading/get.js';
export type { LogEntry } from './reading/log.js';
export type { WatchPolicy } from './reading/watch.js';
export type { SendOutcome, SendResult } from './sending/receivers.js';
export type {
  Link,
  SendStream,
  SendStreamListener,
  Transport,
} from './transport/transport.js';
export type { World } from './world.js';
