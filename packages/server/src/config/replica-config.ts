// The configuration of a replica, from what its process was told.

import { randomBytes } from 'node:crypto';
import { DEFAULT_LIMITS, DeltabaseError, type Limits } from '@deltabase/base';
import type { DocumentName } from '@deltabase/engine';
import { checkDocumentKey, checkSpaceName } from '@deltabase/machine';
import { type Environment, readOptions } from './given-options.js';
import { parseAddresses } from './members.js';
import { REPLICA_OPTIONS } from './replica-options.js';
import type { LogLevel } from './server-config.js';

export interface ReplicaServerConfig {
  readonly name: string;
  /** host:port of processes to get copies from, at least one. */
  readonly upstreams: readonly string[];
  /** host:port that clients reach this process at; port 0: any free one. */
  readonly listen: string;
  /** host:port that clients are told to reach it at; `undefined`: they are not told of it. */
  readonly advertise: string | undefined;
  /** Documents that it always keeps copies of. */
  readonly hold: readonly DocumentName[];
  readonly logLevel: LogLevel;
  readonly limits: Limits;
}

/** All addresses of a machine: nobody reaches it there. */
const ANYWHERE = /^(?:0\.0\.0\.0|\[::\]):/;

/** The configuration that flags and environment ask for. Throws INVALID_ARGUMENT if it cannot be. */
export function loadReplicaConfig(
  flags: readonly string[],
  environment: Environment,
): ReplicaServerConfig {
  const { values, sourceOf } = readOptions(REPLICA_OPTIONS, flags, environment);
  const { upstream, name, hold, limits, advertise, ...rest } = values;
  const all = { ...DEFAULT_LIMITS, ...limits } as Limits;
  const upstreams = parseAddresses(upstream, '--upstream');
  if (upstreams.length === 0) throw invalid(`${sourceOf('upstream')} names no address: name one`);
  return {
    ...rest,
    advertise: advertise ?? (ANYWHERE.test(rest.listen) ? undefined : rest.listen),
    name: name ?? `replica-${randomBytes(4).toString('hex')}`,
    upstreams,
    hold: hold === '' ? [] : parseDocuments(hold, sourceOf('hold'), all),
    limits: all,
  };
}

function parseDocuments(text: string, source: string, limits: Limits): DocumentName[] {
  return text.split(',').map((part) => {
    const slash = part.indexOf('/');
    if (slash < 0)
      throw invalid(`${source}: ${JSON.stringify(part)} is no document: use SPACE/KEY`);
    const [space, key] = [part.slice(0, slash).trim(), part.slice(slash + 1)];
    checkSpaceName(space, limits);
    checkDocumentKey(key, limits);
    return { space, key };
  });
}

function invalid(message: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message);
}
