// The configuration of a node, from what its process was told.

import { DEFAULT_LIMITS, DeltabaseError, type Limits } from '@deltabase/base';
import type { Member } from '@deltabase/engine';
import { type Environment, readOptions } from './given-options.js';
import { parseAddresses, parseMembers } from './members.js';
import { NODE_OPTIONS } from './node-options.js';
import type { ServerConfig } from './server-config.js';

/** The configuration that flags and environment ask for. Throws INVALID_ARGUMENT if it cannot be. */
export function loadConfig(flags: readonly string[], environment: Environment): ServerConfig {
  const given = readOptions(NODE_OPTIONS, flags, environment);
  const { members: named, join: joined, limits, ...others } = given.values;
  const { tickMs, heartbeatTicks, electionTicks, groups, ...rest } = others;
  const join = joined === '' ? [] : parseAddresses(joined, given.sourceOf('join'));
  const members =
    named === ''
      ? []
      : membersOf(named, given.sourceOf('members'), { node: rest.node, joins: join.length > 0 });
  if (electionTicks < 2 * heartbeatTicks) {
    throw invalid('electionTicks must be at least twice heartbeatTicks, or leaders fall at once');
  }
  const timing = { tickMs, heartbeatTicks, electionTicks };
  const all = { ...DEFAULT_LIMITS, ...limits } as Limits;
  return { ...rest, members, join, groups, timing, limits: all };
}

function membersOf(
  named: string,
  source: string,
  { node, joins }: { readonly node: number; readonly joins: boolean },
): readonly Member[] {
  const members = parseMembers(named, source);
  if (!joins && !members.some((member) => member.node === node)) {
    throw invalid(`${source}: node ${node} is not among the members: add it, or set the node's id`);
  }
  const twice = members.find(
    (member, at) => members.findIndex((other) => other.node === member.node) !== at,
  );
  if (twice !== undefined) throw invalid(`${source}: node ${twice.node} is named twice`);
  return members;
}

function invalid(message: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message);
}
