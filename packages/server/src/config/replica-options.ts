// Every option of a replica, in one table; a test holds docs/configuration.md against it.

import { z } from 'zod';
import { NODE_OPTIONS } from './node-options.js';
import { address, joined, type OptionTable } from './option-table.js';

const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;
const NAME_RULE = 'use 1 to 63 of a-z 0-9 . -, and begin with a letter or digit';

/** The table. */
export const REPLICA_OPTIONS = {
  upstream: {
    value: 'HOST:PORT,...',
    meaning:
      'Where clients reach the processes to get copies from: nodes of the cluster, or other replicas. One is used at a ' +
      'time; when it is lost the next one is.',
    schema: z.preprocess(joined, z.string('name addresses as text')).default('127.0.0.1:7410'),
  },
  name: {
    value: 'NAME',
    meaning: 'Its name, which no other replica of the cluster has.',
    schema: z.string(NAME_RULE).regex(NAME, NAME_RULE).optional(),
    unset: 'a new one at each start',
  },
  listen: {
    value: 'HOST:PORT',
    meaning: 'Where this process listens for clients. Nothing is encrypted or authenticated yet.',
    schema: address().default('127.0.0.1:7420'),
  },
  advertise: {
    value: 'HOST:PORT',
    meaning:
      'Where clients reach this process from elsewhere: nodes send their readers of hot documents there. Needed where it ' +
      'listens on all addresses of its machine.',
    schema: address().optional(),
    unset: 'where it listens',
  },
  hold: {
    value: 'SPACE/KEY,...',
    meaning: 'Documents to keep copies of whether anybody asks for them or not.',
    schema: z.preprocess(joined, z.string('name documents as text')).default(''),
    unset: 'none',
  },
  logLevel: NODE_OPTIONS.logLevel,
  limits: NODE_OPTIONS.limits,
} as const satisfies OptionTable;
