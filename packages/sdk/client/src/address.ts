// Addresses of processes, as callers, clusters and other processes name them.

/** A name or IPv4 address, or an IPv6 address in brackets; then a port. */
const ADDRESS = /^(?:\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/i;
const PORT_MAX = 65_535;

/** Whether `text` is host:port with a port that can be called: a socket throws for others. */
export function isAddress(text: string): boolean {
  const port = Number(ADDRESS.exec(text)?.[1]);
  return port > 0 && port <= PORT_MAX;
}
