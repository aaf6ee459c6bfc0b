// As much of etcd's gRPC API (etcd.io/docs/v3.4/learning/api) as this needs: putting and reading a key, and watching it.

import { FieldWriter, readFields } from '../raw/protobuf.js';

export const PUT = '/etcdserverpb.KV/Put';
export const RANGE = '/etcdserverpb.KV/Range';
export const WATCH = '/etcdserverpb.Watch/Watch';
export const STATUS = '/etcdserverpb.Maintenance/Status';

/** A key's value, and how often it was put since it was made. */
export interface KeyValue {
  readonly version: number;
  readonly value: string;
}

/** What a member says of itself: its id, and the leader's (exact enough to compare: ids are 64 bits). */
export interface MemberStatus {
  readonly member: string;
  readonly leader: string;
}

/** One response of a watch stream, which many watches may share. */
export interface WatchResponse {
  readonly watchId: number;
  readonly isCreated: boolean;
  readonly isCanceled: boolean;
  /** The key-values of its events. */
  readonly events: readonly Uint8Array[];
}

export function putRequest(key: string, value: string): Buffer {
  return new FieldWriter().bytes(1, key).bytes(2, value).finish();
}

/** Reads one key, linearizably. */
export function rangeRequest(key: string): Buffer {
  return new FieldWriter().bytes(1, key).finish();
}

/** The key that was asked for; throws if it is not there. */
export function keyValueIn(rangeResponse: Uint8Array): KeyValue {
  let found: Uint8Array | undefined;
  readFields(rangeResponse, 0, rangeResponse.length, (field, _value, start, end) => {
    if (field === 2) found = rangeResponse.subarray(start, end);
  });
  if (found === undefined) throw new Error('the key is not there');
  return { version: versionIn(found), value: valueIn(found) };
}

export function statusIn(response: Uint8Array): MemberStatus {
  let member = '';
  let leader = '';
  readFields(response, 0, response.length, (field, value, start, end) => {
    if (field === 4) leader = String(value);
    if (field !== 1) return;
    readFields(response, start, end, (of, id) => {
      if (of === 2) member = String(id);
    });
  });
  return { member, leader };
}

/** Watches a key from now on. */
export function watchRequest(key: string): Buffer {
  return new FieldWriter().bytes(1, new FieldWriter().bytes(1, key).finish()).finish();
}

export function watchResponse(bytes: Uint8Array): WatchResponse {
  let watchId = 0;
  let isCreated = false;
  let isCanceled = false;
  const events: Uint8Array[] = [];
  readFields(bytes, 0, bytes.length, (field, value, start, end) => {
    if (field === 2) watchId = value;
    else if (field === 3) isCreated = value === 1;
    else if (field === 4) isCanceled = value === 1;
    else if (field === 11) events.push(keyValueOf(bytes, start, end));
  });
  return { watchId, isCreated, isCanceled, events };
}

export function versionIn(keyValue: Uint8Array): number {
  let version = 0;
  readFields(keyValue, 0, keyValue.length, (field, value) => {
    if (field === 4) version = value;
  });
  return version;
}

export function valueIn(keyValue: Uint8Array): string {
  let text = '';
  readFields(keyValue, 0, keyValue.length, (field, _value, start, end) => {
    if (field === 5) text = Buffer.from(keyValue.subarray(start, end)).toString();
  });
  return text;
}

function keyValueOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  let found: Uint8Array | undefined;
  readFields(bytes, from, to, (field, _value, start, end) => {
    if (field === 2) found = bytes.subarray(start, end);
  });
  if (found === undefined) throw new Error('an event without a key');
  return found;
}
