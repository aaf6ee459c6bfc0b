// The members of a cluster as configuration names them: `1=10.0.0.1:7411/10.0.0.1:7410`, a node's id, where
// other nodes reach it and where clients do.

import { DeltabaseError } from '@deltabase/base';
import type { Member } from '@deltabase/engine';

const MEMBER = /^(\d+)=([^/=,\s]+)\/([^/=,\s]+)$/;
/** A name or IPv4 address, or an IPv6 address in brackets; then a port. */
const ADDRESS = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;
const ANY_PORT = /:0+$/;
const PORT_MAX = 65_535;
/** Names have 253 characters at most (RFC 1035 §2.3.4), a port five. */
const ADDRESS_LENGTH_MAX = 259;

/** Members separated by commas, as `source` gave them. Throws INVALID_ARGUMENT naming the wrong one. */
export function parseMembers(text: string, source: string): Member[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseMember(part, source));
}

/** Addresses separated by commas, as `source` gave them. Throws INVALID_ARGUMENT naming the wrong one. */
export function parseAddresses(text: string, source: string): string[] {
  const addresses = text.split(',').flatMap((part) => part.trim() || []);
  const wrong = addresses.find((address) => !isAddress(address));
  if (wrong === undefined) return addresses;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `${source}: ${JSON.stringify(wrong)} is no address: use HOST:PORT, such as 10.0.0.1:7410`,
  );
}

/** Whether `text` is host:port; port 0 stands for any free one. */
export function isAddress(text: string): boolean {
  const port = text.length <= ADDRESS_LENGTH_MAX ? ADDRESS.exec(text)?.[1] : undefined;
  return port !== undefined && Number(port) <= PORT_MAX;
}

/** Whether `text` is host:port as others can reach it. */
export function isPlace(text: string): boolean {
  return isAddress(text) && !ANY_PORT.test(text);
}

/** An address with the port that the system gave where any was asked for (port 0). */
export function withPort(address: string, port: number): string {
  return address.replace(ANY_PORT, `:${port}`);
}

function parseMember(text: string, source: string): Member {
  const [, node, peerAddress, clientAddress] = MEMBER.exec(text) ?? [];
  if (peerAddress === undefined || clientAddress === undefined) throw notAMember(text, source);
  if (!isAddress(peerAddress) || !isAddress(clientAddress)) throw notAMember(text, source);
  return { node: Number(node), peerAddress, clientAddress };
}

function notAMember(text: string, source: string): DeltabaseError {
  return new DeltabaseError(
    'INVALID_ARGUMENT',
    `${source}: member ${JSON.stringify(text)}: write ID=PEER_HOST:PORT/CLIENT_HOST:PORT, such as ` +
      '1=10.0.0.1:7411/10.0.0.1:7410',
  );
}
