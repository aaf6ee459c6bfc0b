// Every limit of Deltabase, with its unit, default and reason. Each queue, batch, message, document,
// delta and budget has one here; docs/limits.md lists them and a test holds the two together.
// All of them are plain defaults: a composition passes its own `Limits` where it wants others.

export interface Limits {
  // Names and messages.
  readonly spaceNameBytesMax: number;
  readonly documentKeyBytesMax: number;
  readonly channelNameBytesMax: number;
  readonly sessionNameBytesMax: number;
  readonly principalBytesMax: number;
  readonly payloadBytesMax: number;
  readonly frameBytesMax: number;

  // What one message may do.
  readonly fuelPerMessageMax: number;
  readonly memoryPagesMax: number;
  readonly stackBytesMax: number;
  readonly operationsPerDeltaMax: number;
  readonly patchBytesMax: number;
  readonly replyBytesMax: number;
  readonly rejectionBytesMax: number;
  readonly logLinesPerMessageMax: number;
  readonly logLineBytesMax: number;
  readonly machineLogLinesPerSecondMax: number;
  readonly keysPerReadMax: number;

  // Documents.
  readonly documentBytesMax: number;
  readonly jsonDepthMax: number;
  readonly pointerBytesMax: number;
  readonly residentBytesMax: number;
  readonly loadsWaitingMax: number;
  readonly idleEvictMs: number;
  readonly pieceBytesMax: number;
  readonly chunkBytesMax: number;
  readonly snapshotDeltaBytesMin: number;
  readonly snapshotDeltaFactor: number;

  // Machines.
  readonly moduleBytesMax: number;
  readonly moduleFunctionsMax: number;
  readonly instancesMax: number;

  // Sessions (dedupe).
  readonly sessionWindowMax: number;
  readonly sessionBytesMax: number;
  readonly sessionBytesPerGroupMax: number;
  readonly sessionsPerGroupMax: number;
  readonly sessionAgeMsMax: number;
  readonly clockSkewMsMax: number;
  readonly silentAnswersMax: number;
  readonly silentBytesMax: number;
  readonly silentAnswerMs: number;

  // Turns, queues and batches.
  readonly turnMessagesMax: number;
  readonly turnFuelMax: number;
  readonly turnMsMax: number;
  readonly groupQueueMax: number;
  readonly forwardsMax: number;
  readonly forwardTimeoutMs: number;
  readonly streamInFlightMax: number;
  readonly streamQueueBytesMax: number;
  readonly streamsPerConnectionMax: number;
  readonly frameMessagesMax: number;
  readonly requestTimeoutMsMax: number;
  readonly entryBytesMax: number;
  readonly batchBytesMax: number;
  readonly writeQueueBytesMax: number;
  readonly uncommittedBytesMax: number;
  readonly noticeMs: number;
  readonly peerQueueBytesMax: number;
  readonly peerFrameBytesMax: number;
  readonly appendBytesMax: number;
  readonly applyBytesMax: number;
  readonly inflightAppendsMax: number;
  readonly inflightBytesMax: number;
  readonly membersMax: number;

  // Log, flush, snapshots and the disk.
  readonly diskFreeBytesMin: number;
  readonly logCacheBytesMax: number;
  readonly flushBytesMax: number;
  readonly flushIntervalMs: number;
  readonly trailingLogBytesMax: number;
  readonly absentLogBytesMax: number;
  readonly heldLogBytesMax: number;
  readonly idleSleepMs: number;
  readonly snapshotChunkBytesMax: number;
  readonly snapshotTransfersMax: number;
  readonly snapshotsWaitingMax: number;

  // Watches and reads.
  readonly watchQueueBytesMax: number;
  readonly watchQueuesBytesMax: number;
  readonly watchesPerNodeMax: number;
  readonly watchVersionsBytesMax: number;
  readonly composedBytesMax: number;
  readonly watchesPerStreamMax: number;
  readonly recentBytesMax: number;
  readonly replicasMax: number;
  readonly ordersMax: number;
  readonly headsMax: number;
  readonly turnDelayMsMax: number;
  readonly watchPointersMax: number;
  readonly watchFiltersPerDocumentMax: number;
  readonly watchStepsBytesMax: number;
  readonly watchProgressMs: number;
  readonly readQueueMax: number;
  readonly readBytesMax: number;
  readonly historyPageMax: number;
  readonly pageStreamsMax: number;

  // Hot documents.
  readonly heatDocumentsMax: number;
  readonly heatHalfLifeMs: number;
  readonly hotReadsPerSecondMin: number;
  readonly copyReadsPerSecondMax: number;
  readonly hotCoolMs: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** The defaults. The comment behind each says why. */
export const DEFAULT_LIMITS: Limits = {
  spaceNameBytesMax: 64, // bytes; it is part of every key and every frame
  documentKeyBytesMax: 512, // bytes; same
  channelNameBytesMax: 64, // bytes
  sessionNameBytesMax: 64, // bytes; a UUID with room
  principalBytesMax: 256, // bytes; a SPIFFE id or e-mail address fits
  payloadBytesMax: 256 * KIB, // bytes; larger inputs belong in several messages
  frameBytesMax: 4 * MIB, // bytes; gRPC's own default for one message

  fuelPerMessageMax: 10_000_000, // units, about one per Wasm instruction: some 10 ms
  memoryPagesMax: 256, // pages of 64 KiB: 16 MiB
  stackBytesMax: 192 * KIB, // bytes, estimated; V8 gives about 1 MB to everything
  operationsPerDeltaMax: 10_000, // operations
  patchBytesMax: 1 * MIB, // bytes of the encoded patch of one delta
  replyBytesMax: 256 * KIB, // bytes; kept in the session window until the client has it
  rejectionBytesMax: 4 * KIB, // bytes of the reason
  logLinesPerMessageMax: 32, // lines
  logLineBytesMax: 1 * KIB, // bytes
  machineLogLinesPerSecondMax: 100, // lines of all machines that a node logs in a second; writing takes time
  keysPerReadMax: 1000, // keys given to a guest at once

  documentBytesMax: 128 * MIB, // bytes of canonical JSON
  jsonDepthMax: 128, // nested containers; keeps every recursion over a document shallow
  pointerBytesMax: 4 * KIB, // bytes
  residentBytesMax: 512 * MIB, // bytes of canonical JSON of all documents in memory
  loadsWaitingMax: 1000, // documents that wait for others to leave memory; more are refused
  idleEvictMs: 60_000, // ms without a message, read or watch until a document leaves memory
  pieceBytesMax: 64 * KIB, // bytes of one piece of a snapshot: some 1 ms to parse
  chunkBytesMax: 64 * KIB, // bytes of deltas in one row of a document's history
  snapshotDeltaBytesMin: 64 * KIB, // bytes of deltas until a new snapshot is worth it; each counts 128 more, for what folding it costs
  snapshotDeltaFactor: 4, // as many times the state's bytes, counted likewise: snapshots take no more than about what small deltas do

  moduleBytesMax: 8 * MIB, // bytes; a Go module has 3 MB
  moduleFunctionsMax: 50_000, // functions
  instancesMax: 1000, // live instances per node; each reserves about 10 GB of address space

  sessionWindowMax: 65_536, // unsettled messages of one session in one group
  sessionBytesMax: 16 * MIB, // bytes of unsettled answers of one session in one group
  sessionBytesPerGroupMax: 64 * MIB, // bytes of all of them; beyond, sessions with more than their share wait
  sessionsPerGroupMax: 20_000, // sessions remembered by a group: until they end, some 1200 bytes each
  sessionAgeMsMax: 3_600_000, // ms; older sessions are refused, so that they can be forgotten
  clockSkewMsMax: 60_000, // ms that a client's clock may run ahead
  silentAnswersMax: 32_768, // answers without a delta that a leader remembers, twice; more than a full queue
  silentBytesMax: 4 * MIB, // bytes of them, twice
  silentAnswerMs: 30_000, // ms that it remembers them at least: as long as a message is given

  turnMessagesMax: 4096, // messages executed in one turn of the loop
  turnFuelMax: 40_000_000, // units in one turn: some 40 ms, well under a tick
  turnMsMax: 40, // ms for which messages are begun in one turn, whatever their fuel: it says little of a busy machine
  groupQueueMax: 16_384, // messages waiting at the leader of a group
  forwardsMax: 65_536, // messages passed on to leaders and not answered
  forwardTimeoutMs: 10_000, // ms until a message that was passed on is given up
  streamInFlightMax: 16_384, // unanswered messages or reads of one client stream
  streamQueueBytesMax: 16 * MIB, // bytes of answers that a client does not read; more ends its stream of messages, or is refused on one of reads
  streamsPerConnectionMax: 10_000, // calls at once on one client connection
  frameMessagesMax: 8192, // messages or reads in one frame; small ones take 30 times their bytes when decoded
  requestTimeoutMsMax: 30_000, // ms that a message or read is given, whatever its deadline
  entryBytesMax: 1 * MIB, // bytes of records gathered into one entry, as they are by themselves
  batchBytesMax: 8 * MIB, // bytes written to disk at once
  writeQueueBytesMax: 64 * MIB, // bytes that wait for the disk; with more, nothing runs here and leaders send again
  uncommittedBytesMax: 64 * MIB, // bytes proposed by a leader and not committed
  noticeMs: 10, // ms that news of a commit, and entries beyond a quorum, wait for a frame to go along with, unless somebody watches there
  peerQueueBytesMax: 64 * MIB, // bytes waiting for one peer; more is dropped, Raft resends
  peerFrameBytesMax: 16 * MIB, // bytes; a turn's frame is sent at frameBytesMax, its last part may be large
  appendBytesMax: 1 * MIB, // bytes of entries in one append message
  applyBytesMax: 128 * KIB, // bytes of entries that a node applies in a turn, and one entry at least: some 10 ms of small deltas; a group keeps as many for its next turns, and one entry more
  inflightAppendsMax: 256, // unacknowledged append messages to one peer
  inflightBytesMax: 16 * MIB, // bytes of them
  membersMax: 32, // nodes of a cluster, learners among them; each keeps a connection to every other

  diskFreeBytesMin: 512 * MIB, // bytes; with less left nothing is proposed: compaction and logs of all groups need room
  logCacheBytesMax: 1 * MIB, // bytes of recent entries of one group kept in memory
  flushBytesMax: 1 * MIB, // bytes of applied, unflushed deltas of one group
  flushIntervalMs: 5_000, // ms until applied deltas are flushed anyway
  trailingLogBytesMax: 1 * MIB, // bytes of flushed log that a group keeps while all members are there: LevelDB rewrites what stays for long
  absentLogBytesMax: 8 * MIB, // bytes of flushed log that a group keeps while a member is missed, heldLogBytesMax at most: in time it needs no snapshot
  heldLogBytesMax: 64 * MIB, // bytes of log kept for members that are alive but behind
  idleSleepMs: 5_000, // ms without messages and reads until a group sleeps, once it is flushed
  snapshotChunkBytesMax: 512 * KIB, // bytes of one chunk of a group snapshot
  snapshotTransfersMax: 4, // group snapshots that a node sends at once
  snapshotsWaitingMax: 1000, // document snapshots of one group to be written: each holds an old version in memory

  watchQueueBytesMax: 4 * MIB, // bytes waiting for one watcher
  watchQueuesBytesMax: 256 * MIB, // bytes waiting for all of them; with more, each gets one event at a time
  watchesPerNodeMax: 100_000, // watches; those of one stream that get the same events count as many, too
  watchVersionsBytesMax: 64 * MIB, // bytes of canonical JSON of earlier versions held for watchers that lag and want one patch from there
  composedBytesMax: 1 * MIB, // bytes of one patch in place of several deltas, and of deltas composed for it; with more, the watcher gets the state
  watchesPerStreamMax: 20_000, // watches of one stream of many
  recentBytesMax: 256 * KIB, // bytes of the newest deltas of one live copy of a replica, for watchers that lag
  replicasMax: 64, // replicas attached to one process, and processes that one replica is attached to
  ordersMax: 1000, // documents that one process has a replica keep copies of
  turnDelayMsMax: 50, // ms that turns may be waited for, on average; where reads make it longer, new watches are refused, then stale reads, then all
  headsMax: 1000, // documents whose newest seqs are asked for at once
  watchPointersMax: 32, // pointers that one watch may name, of pointerBytesMax together
  watchFiltersPerDocumentMax: 1000, // different sets of pointers through which a document is watched at a node: each that a delta touches is work for that delta
  watchStepsBytesMax: 16 * MIB, // bytes of steps of views, as they are and as they are sent, kept for watchers that want each; what is gone is made from the history
  watchProgressMs: 5_000, // ms after a delta that a watch by pointers did not show until it is told how far it is
  readQueueMax: 16_384, // reads waiting for confirmation or loading; pages of history and modules likewise
  readBytesMax: 4 * MIB, // bytes of one read's value: some 30 ms to write out; watch what is larger
  historyPageMax: 1000, // deltas in one page of history
  pageStreamsMax: 256, // calls at once that list deltas or log entries: each holds a page of about a megabyte

  heatDocumentsMax: 1024, // documents whose heat is told apart; one with more than this part of all heat is never missed
  heatHalfLifeMs: 2000, // ms after which a read or delivery counts half: hot ones are found at once, noise is small
  hotReadsPerSecondMin: 500, // reads a second, ten deliveries to watchers as one: 1 % of a CPU where they come on a stream, 5 % where each is a call; with less a document is not hot
  copyReadsPerSecondMax: 2000, // reads a second, counted so, that one more copy of a hot document is made for
  hotCoolMs: 10_000, // ms that a document has less than half the heat for a copy until it loses it
};
