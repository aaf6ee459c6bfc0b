// Results for programs: the members of each kind of object in one fixed order, whatever they were read from.

import type {
  AnyWatchEvent,
  DocumentHeat,
  HotReport,
  Json,
  LogEntry,
  MachineVersion,
  NodeReport,
  NodeStatus,
} from '@deltabase/client';
import { errorJson } from '../exit.js';
import { type Delta, deltaOfRecord } from './deltas.js';

export function deltaJson({ seq, time, hash, cause, patch }: Delta): object {
  const { channel, payload, principal, messageId, version, fuel, seed } = cause;
  return {
    seq,
    time,
    hash,
    cause: { channel, payload, principal, messageId, version, fuel, seed },
    patch,
  };
}

export function watchEventJson(event: AnyWatchEvent<Json>): object {
  const { kind } = event;
  if (kind === 'delta') return { kind, ...deltaJson(event) };
  if (kind === 'composed') {
    const { fromSeq, seq, hash, patch } = event;
    return { kind, fromSeq, seq, hash, patch };
  }
  if (kind === 'progress') return { kind, seq: event.seq };
  const { seq, hash, value } = event;
  return { kind, seq, hash, value };
}

/** An entry of the log of `group`; its deltas as in history, with their documents. */
export function entryJson(group: number, entry: LogEntry): object {
  const { index, term, kind, bytes, committed, records, summary } = entry;
  const deltas = records.map((record) => {
    const { space, key } = record;
    return { space, key, ...deltaJson(deltaOfRecord(record)) };
  });
  return { group, index, term, kind, bytes, committed, summary, deltas };
}

export function versionJson(of: MachineVersion): object {
  const { space, version, hash, moduleBytes, channels, deployedAt, principal } = of;
  return { space, version, hash, moduleBytes, channels, deployedAt, principal };
}

export function reportJson(report: NodeReport): object {
  const { node, address } = report;
  if (report.kind === 'failed') return { node, address, error: errorJson(report.error) };
  return { node, address, status: statusJson(report.status) };
}

export function hotJson({ documents, failed }: HotReport): object {
  return { documents: documents.map(heatJson), failed: failed.map(reportJson) };
}

function heatJson(of: DocumentHeat): object {
  const { space, key, leader, readsPerSecond, deliveriesPerSecond, bytesPerSecond } = of;
  const { heat, heatError, copiesWanted, copies, copiesHeat } = of;
  const rates = { readsPerSecond, deliveriesPerSecond, bytesPerSecond };
  return { space, key, leader, ...rates, heat, heatError, copiesWanted, copies, copiesHeat };
}

function statusJson(status: NodeStatus): object {
  const { cluster, node, version, uptimeMs, ...rest } = status;
  const { counters, members, recoveries, replicas, via, groups, ...states } = rest;
  const who = { cluster, node, version, uptimeMs, ...states };
  const others = { counters, members, recoveries, replicas, via };
  return { ...who, ...others, groups: groups.map(groupJson) };
}

function groupJson(status: NodeStatus['groups'][number]): object {
  const { group, role, leader, term, voters, progress, ...numbers } = status;
  return { group, role, leader, term, ...numbers, voters, progress };
}
