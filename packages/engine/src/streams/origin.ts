// Where what a process serves comes from.

export interface Origin {
  /** The replicas that it comes through, by name, the one that serves first; none: a node serves it. */
  readonly via: readonly string[];
  /** Whether the process is a node of the cluster, or connected to one. */
  readonly live: boolean;
}

/** It may change. */
export interface OriginFeed {
  readonly current: Origin;
  /** Calls `listener` when it changes. Returns how to stop it. */
  listen(listener: () => void): () => void;
}

/** A node's own. */
export const NODE_ORIGIN: OriginFeed = {
  current: { via: [], live: true },
  listen: () => () => {},
};
