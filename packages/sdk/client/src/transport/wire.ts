// The messages of proto/deltabase/v1 as the client's logic sees them: plain values, whatever carries them.

/** A session as a frame announces it. */
export interface WireSession {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly openedAtMs: number;
  /** Every number below it is settled. */
  readonly settled: number;
  /** When it ends: milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** A message of a frame. */
export interface WireMessage {
  readonly space: string;
  readonly key: string;
  readonly channel: string;
  /** JSON text; empty for null. */
  readonly payload: string;
  readonly number: number;
  readonly after: number;
  /** An earlier copy may still run. */
  readonly retried: boolean;
}

/** An error as nodes send it. `code` may be one that this client does not know. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, string>>;
}

export interface WireCause {
  readonly channel: string;
  readonly payload: Uint8Array;
  readonly principal: string;
  readonly messageId: string;
  readonly version: number;
  readonly fuel: number;
  readonly seed: number;
}

export interface WireDelta {
  readonly seq: number;
  readonly patch: Uint8Array;
  readonly hash: string;
  readonly timeMs: number;
  readonly cause: WireCause | null;
}

export interface WireStatePiece {
  readonly seq: number;
  readonly piece: Uint8Array;
  readonly last: boolean;
  readonly hash: string;
}

/** Several deltas in one, or what some did to a view: what is at `fromSeq` becomes that at `seq`. */
export interface WireComposedDelta {
  readonly fromSeq: number;
  readonly seq: number;
  readonly patch: Uint8Array;
  readonly hash: string;
}

export interface WireWatchEvent {
  readonly state?: WireStatePiece | null;
  readonly delta?: WireDelta | null;
  readonly composed?: WireComposedDelta | null;
  readonly progress?: { readonly seq: number } | null;
}

export type WireWatchPolicy =
  | 'WATCH_POLICY_EVERY'
  | 'WATCH_POLICY_LATEST'
  | 'WATCH_POLICY_PER_SECOND';

export type WireReadMode = 'READ_MODE_LINEARIZABLE' | 'READ_MODE_AT_LEAST_SEQ' | 'READ_MODE_STALE';

export interface WireMachineVersion {
  readonly space: string;
  readonly version: number;
  readonly hash: string;
  readonly moduleBytes: number;
  readonly channels: readonly string[];
  readonly deployedAtMs: number;
  readonly principal: string;
}

export interface WireMember {
  readonly node: number;
  readonly address: string;
  readonly reachable: boolean;
  readonly peerAddress: string;
}

/** `role`: "voter", "learner" or "leaving". */
export interface WireClusterMember {
  readonly node: number;
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly role: string;
  readonly reachable: boolean;
  readonly joined: boolean;
}

/** `kind`: "add", "promote", "remove" or "replace"; `phase`: "joining" or "changing". */
export interface WireMemberChange {
  readonly number: number;
  readonly kind: string;
  readonly node: number;
  readonly oldNode?: number;
  readonly phase: string;
  readonly groupsDone: number;
  readonly groupsTotal: number;
}

export interface WireRecovery {
  readonly formerId: string;
  readonly node: number;
  readonly takenFrom: readonly number[];
  readonly givenUp: readonly number[];
  readonly timeMs: number;
}

export interface WireMemberList {
  readonly cluster: string;
  readonly clusterId: string;
  readonly groups: number;
  readonly founders: readonly number[];
  readonly highestNode: number;
  readonly members: readonly WireClusterMember[];
  readonly change?: WireMemberChange | null;
  readonly changes: number;
  readonly preferredLeaders: readonly { readonly group: number; readonly node: number }[];
  readonly recoveries: readonly WireRecovery[];
}

/** A node that comes. */
export interface WireNewMember {
  readonly node: number;
  readonly peerAddress: string;
  readonly clientAddress: string;
}

export interface WirePeerProgress {
  readonly node: number;
  readonly matchIndex: number;
  readonly nextIndex: number;
  readonly state: string;
  readonly active: boolean;
  readonly damaged: boolean;
}

export interface WireGroupStatus {
  readonly group: number;
  readonly role: string;
  readonly leader: number;
  readonly term: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly flushedIndex: number;
  readonly voters: readonly number[];
  readonly progress: readonly WirePeerProgress[];
  readonly queuedMessages: number;
  readonly damaged: boolean;
  readonly asleep: boolean;
  readonly learners: readonly number[];
}

export interface WireNodeCounters {
  readonly residentDocuments: number;
  readonly residentBytes: number;
  readonly messagesExecuted: number;
  readonly messagesFailed: number;
  readonly messagesForwarded: number;
  readonly deltasApplied: number;
  readonly turns: number;
  readonly ticksMissed: number;
  readonly diskWrites: number;
  readonly diskBytesWritten: number;
  readonly logBytesWritten: number;
  readonly diskBytesWaiting: number;
  readonly diskBytesUsed: number;
  readonly diskBytesFree: number;
  readonly peerBytesSent: number;
  readonly peerFramesSent: number;
  readonly clientBytesReceived: number;
  readonly clientBytesSent: number;
  readonly watches: number;
  readonly groupsAsleep: number;
  readonly readsAnswered: number;
  readonly eventsDelivered: number;
  readonly documentsHot: number;
  readonly sheddingLevel: number;
  readonly watchesShed: number;
  readonly readsShed: number;
  readonly processBytes: number;
}

export interface WireReplica {
  readonly name: string;
  readonly address: string;
  /** Documents that the node has it keep copies of. */
  readonly copies: number;
}

/** What a replica tells of itself: `GetReplicaStatusResponse` of replicas.proto says what each number is. */
export interface WireReplicaStatus {
  readonly name: string;
  readonly version: string;
  readonly uptimeMs: number;
  readonly upstream: string;
  readonly via: readonly string[];
  readonly copies: number;
  readonly copiesBytes: number;
  readonly watches: number;
  readonly connections: number;
  readonly resyncs: number;
  readonly processBytes: number;
  readonly readsAnswered: number;
  readonly eventsDelivered: number;
  readonly documentsHot: number;
  readonly sheddingLevel: number;
  readonly watchesShed: number;
  readonly readsShed: number;
  readonly attachments: number;
  readonly orders: number;
  readonly evictions: number;
}

export interface WireStatus {
  readonly cluster: string;
  readonly node: number;
  readonly version: string;
  readonly uptimeMs: number;
  readonly members: readonly WireMember[];
  readonly groups: readonly WireGroupStatus[];
  readonly counters: WireNodeCounters | null;
  readonly draining: boolean;
  readonly diskStalled: boolean;
  readonly diskLow: boolean;
  /** Replicas that have offered themselves to the node. */
  readonly replicas: readonly WireReplica[];
  /** Names of the replicas that passed the answer on, the one that was asked first; none: the node was asked itself. */
  readonly via: readonly string[];
  readonly recoveries: readonly WireRecovery[];
}

export interface WireLogEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: string;
  readonly bytes: number;
  readonly committed: boolean;
  readonly records: readonly Uint8Array[];
  readonly summary: string;
}

export interface WireDocumentHeat {
  readonly space: string;
  readonly key: string;
  readonly leader: number;
  readonly readsPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly heat: number;
  readonly heatError: number;
  readonly copiesWanted: number;
  readonly copies: readonly string[];
  readonly copiesHeat: number;
}

/** The unary calls: name to request and response. */
export interface UnaryCalls {
  readonly Get: {
    readonly request: {
      readonly space: string;
      readonly key: string;
      readonly pointer: string;
      readonly mode: WireReadMode;
      readonly atLeastSeq?: number;
      readonly atSeq?: number;
      readonly withinMs?: number;
    };
    readonly response: {
      readonly seq: number;
      readonly hash: string;
      readonly value: Uint8Array;
      readonly stalenessMs?: number;
      readonly copies?: readonly string[];
    };
  };
  readonly Deploy: {
    readonly request: {
      readonly space: string;
      readonly module: Uint8Array;
      readonly expectedVersion?: number;
    };
    readonly response: {
      readonly version: WireMachineVersion | null;
      readonly unchanged: boolean;
    };
  };
  readonly ListMachines: {
    readonly request: Record<never, never>;
    readonly response: { readonly machines: readonly WireMachineVersion[] };
  };
  readonly GetMachine: {
    readonly request: {
      readonly space: string;
      readonly version: number;
      readonly includeModule: boolean;
    };
    readonly response: {
      readonly machine: WireMachineVersion | null;
      readonly versions: readonly WireMachineVersion[];
      readonly module: Uint8Array;
    };
  };
  readonly GetStatus: {
    readonly request: Record<never, never>;
    readonly response: WireStatus;
  };
  readonly ListMembers: {
    readonly request: Record<never, never>;
    readonly response: WireMemberList;
  };
  readonly AddMember: {
    readonly request: WireNewMember & { readonly learner: boolean };
    readonly response: WireChangeBegun;
  };
  readonly PromoteMember: {
    readonly request: { readonly node: number };
    readonly response: WireChangeBegun;
  };
  readonly RemoveMember: {
    readonly request: { readonly node: number };
    readonly response: WireChangeBegun;
  };
  readonly ReplaceMember: {
    readonly request: WireNewMember & { readonly oldNode: number };
    readonly response: WireChangeBegun;
  };
  readonly TransferLeader: {
    readonly request: { readonly group: number; readonly node: number };
    readonly response: { readonly leader: number };
  };
  readonly GetReplicaStatus: {
    readonly request: Record<never, never>;
    readonly response: WireReplicaStatus;
  };
  readonly ListHot: {
    readonly request: { readonly limit: number };
    readonly response: {
      readonly node: number;
      readonly replica: string;
      readonly documents: readonly WireDocumentHeat[];
    };
  };
}

export interface WireChangeBegun {
  readonly change: number;
}

/** The calls that are answered by a stream: name to request and response. */
export interface StreamCalls {
  readonly Watch: {
    readonly request: {
      readonly space: string;
      readonly key: string;
      readonly afterSeq?: number;
      readonly policy?: WireWatchPolicy;
      readonly perSecond?: number;
      readonly pointers?: readonly string[];
    };
    readonly response: {
      readonly events: readonly WireWatchEvent[];
      readonly copies?: readonly string[];
    };
  };
  readonly ListDeltas: {
    readonly request: {
      readonly space: string;
      readonly key: string;
      readonly fromSeq: number;
      readonly limit: number;
    };
    readonly response: { readonly deltas: readonly WireDelta[] };
  };
  readonly ReadLog: {
    readonly request: {
      readonly group: number;
      readonly fromIndex: number;
      readonly limit: number;
      readonly follow: boolean;
    };
    readonly response: { readonly entries: readonly WireLogEntry[] };
  };
}
