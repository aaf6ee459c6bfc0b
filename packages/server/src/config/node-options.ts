// Every option of a node, in one table; a test holds docs/configuration.md against it.

import { DEFAULT_GROUPS, DEFAULT_TIMING } from '@deltabase/engine';
import { z } from 'zod';
import {
  address,
  joined,
  limitsSchema,
  type OptionTable,
  paired,
  wholeNumber,
} from './option-table.js';
import { LOG_LEVELS } from './server-config.js';

const CLUSTER = /^[a-z0-9][a-z0-9-]{0,62}$/;
const CLUSTER_RULE = 'use 1 to 63 of a-z 0-9 -, and do not begin with -';

/** The table. */
export const NODE_OPTIONS = {
  cluster: {
    value: 'NAME',
    meaning: 'The name of the cluster. Nodes of different clusters refuse each other.',
    schema: z.string(CLUSTER_RULE).regex(CLUSTER, CLUSTER_RULE).default('deltabase'),
  },
  node: {
    value: 'ID',
    meaning: 'The id of this node: its own for ever, never given to another one.',
    schema: wholeNumber(1, 65_535).default(1),
  },
  dataDir: {
    value: 'DIRECTORY',
    meaning:
      'Where this node keeps its data; made if it is missing. One process at a time uses it.',
    schema: z.string('name a directory').min(1, 'name a directory').default('deltabase-data'),
  },
  listen: {
    value: 'HOST:PORT',
    meaning: 'Where this process listens for clients. Nothing is encrypted or authenticated yet.',
    schema: address().default('127.0.0.1:7410'),
  },
  peerListen: {
    value: 'HOST:PORT',
    meaning: 'Where this process listens for other nodes. Let nobody else reach it.',
    schema: address().default('127.0.0.1:7411'),
  },
  members: {
    value: 'ID=PEER/CLIENT,...',
    meaning:
      'The nodes that a cluster begins with, the same on all of them: for each its id, the HOST:PORT where other ' +
      'nodes reach it, and the one where clients do. Such as 1=10.0.0.1:7411/10.0.0.1:7410,2=... After the first ' +
      'start the cluster knows its members itself; then these addresses only go before those it has for them.',
    schema: z.preprocess(joined, z.string('name the members as text')).default(''),
    unset: 'this node alone',
  },
  join: {
    value: 'HOST:PORT,...',
    meaning:
      'Where clients reach nodes of a cluster that this node becomes one of, once it was added (deltabase cluster ' +
      'add). Only for a first start, in place of members; later it says nothing.',
    schema: z.preprocess(joined, z.string('name addresses as text')).default(''),
    unset: 'none',
  },
  groups: {
    value: 'NUMBER',
    meaning:
      'Raft groups that share the documents. Fixed when the cluster is made, the same on all nodes.',
    schema: wholeNumber(1, 4096).optional(),
    unset: `${DEFAULT_GROUPS}, or what the data or the cluster has`,
  },
  tickMs: {
    value: 'MS',
    meaning: 'The unit of time of consensus, in milliseconds.',
    schema: wholeNumber(1, 10_000).default(DEFAULT_TIMING.tickMs),
  },
  heartbeatTicks: {
    value: 'TICKS',
    meaning: 'Ticks between the heartbeats of a leader.',
    schema: wholeNumber(1, 1000).default(DEFAULT_TIMING.heartbeatTicks),
  },
  electionTicks: {
    value: 'TICKS',
    meaning:
      'Ticks without a leader until a node stands for election; each draws from once to twice this.',
    schema: wholeNumber(2, 10_000).default(DEFAULT_TIMING.electionTicks),
  },
  logLevel: {
    value: 'LEVEL',
    meaning: `The least that is logged: ${LOG_LEVELS.join(', ')}.`,
    schema: z.enum(LOG_LEVELS, `use one of ${LOG_LEVELS.join(', ')}`).default('info'),
  },
  limits: {
    value: 'NAME=NUMBER,...',
    meaning:
      'Limits that differ from their defaults; docs/limits.md lists them. In a file: an object.',
    schema: z.preprocess(paired, limitsSchema()).default({}),
    unset: 'the defaults of docs/limits.md',
  },
} as const satisfies OptionTable;
