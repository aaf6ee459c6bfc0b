// How far a live copy has come. Each step is folded onto the state and the result held against the hash that came with it
// (StateIsFold); where they differ the copy is not believed any more, and begins anew.

import { DeltabaseError } from '@deltabase/base';
import { applyPatch, hashText, parsePatch, type Value } from '@deltabase/delta';
import { StateBuilder } from '../reading/state.js';
import { doesNotFollow, type WatchPlace } from '../reading/watch-place.js';
import type { WireWatchEvent } from '../transport/wire.js';

/** A document at a seq. */
export interface LiveVersion {
  readonly seq: number;
  readonly hash: string;
  readonly root: Value;
}

interface Step {
  readonly fromSeq: number;
  readonly seq: number;
  readonly patch: Uint8Array;
  readonly hash: string;
}

export class LivePlace implements WatchPlace<LiveVersion> {
  #version: LiveVersion | undefined;
  #builder = new StateBuilder();
  /** Times that the copy was found wrong. */
  mismatches = 0;

  begin(): number | undefined {
    // A state that was cut off is begun anew.
    this.#builder = new StateBuilder();
    return this.#version?.seq;
  }

  forget(): void {
    this.#version = undefined;
  }

  take({ state, delta, composed }: WireWatchEvent): LiveVersion | undefined {
    if (state != null) {
      const version = this.#builder.add(state);
      if (version !== undefined) this.#version = version;
      return version;
    }
    if (composed != null) return this.#fold(composed);
    if (delta == null) return undefined;
    const { seq, patch, hash } = delta;
    return this.#fold({ fromSeq: seq - 1, seq, patch, hash });
  }

  /** The version behind `step`; `undefined` if that was there before. */
  #fold({ fromSeq, seq, patch, hash }: Step): LiveVersion | undefined {
    const version = this.#version;
    if (version !== undefined && seq <= version.seq) return undefined;
    if (version?.seq !== fromSeq) throw doesNotFollow({ fromSeq, seq }, version?.seq ?? 'no state');
    const root = foldedOnto(version.root, patch);
    if (root === undefined || hashText(root) !== hash) {
      this.mismatches++;
      this.forget();
      const why = `the copy is not what the node has at seq ${seq}: it begins anew`;
      throw new DeltabaseError('UNAVAILABLE', why);
    }
    this.#version = { seq, hash, root };
    return this.#version;
  }
}

/** `undefined`: the patch does not fit. */
function foldedOnto(root: Value, patch: Uint8Array): Value | undefined {
  try {
    return applyPatch(root, parsePatch(patch));
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return undefined;
  }
}
