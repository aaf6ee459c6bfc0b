// Where a watcher of a view gets what leads on from where its receiver is: by policy each step
// (each-view-step.ts), or one to the newest view (newest-view-step.ts).

import type { ComposedDelta } from './composed-delta.js';
import type { ViewSpan } from './view-line.js';

export type ViewNews =
  | { readonly kind: 'step'; readonly step: ComposedDelta }
  /** The view at `seq` is the one that the receiver has. */
  | { readonly kind: 'unchanged'; readonly seq: number }
  /** Only the view as a whole leads on. */
  | { readonly kind: 'anew' }
  /** It is being made: the watcher is told. */
  | { readonly kind: 'later' };

export interface ViewSource {
  /** What leads on from `seq`, before the present span; and what it cost to find, in bytes given. */
  next(seq: number): { readonly news: ViewNews; readonly cost: number };
  /** The receiver has the view of `span`, or will have. */
  reached(span: ViewSpan): void;
  /** Nothing more is given now: what is kept until later must be counted. */
  rest(): void;
  /** It is not used any more. */
  end(): void;
}
