// Work on what comes in, many at a time, with results in the order in which it came.

type Event<Result> =
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'read' }
  | { readonly kind: 'ended'; readonly failure: { readonly thrown: unknown } | undefined };

/**
 * Starts `work` on each item as it comes, on at most `atOnceMax` whose results were not given on, and gives the
 * results in the order of the items. `work` must not reject. If the input fails, the error comes once the
 * results of all before it were given.
 */
export async function* mapInOrder<Item, Result>(
  items: AsyncGenerator<Item>,
  work: (item: Item) => Promise<Result>,
  atOnceMax: number,
): AsyncGenerator<Result> {
  const pending: Promise<Event<Result>>[] = [];
  let isLeft = false;
  const read = async (): Promise<Event<Result>> => {
    try {
      const { done, value } = await items.next();
      if (done || isLeft) return { kind: 'ended', failure: undefined };
      pending.push(work(value).then((result) => ({ kind: 'result', result })));
      return { kind: 'read' };
    } catch (thrown) {
      return { kind: 'ended', failure: { thrown } };
    }
  };
  let reading: Promise<Event<Result>> | undefined;
  let end: Extract<Event<Result>, { kind: 'ended' }> | undefined;
  try {
    while (end === undefined || pending.length > 0) {
      if (end === undefined && pending.length < atOnceMax) reading ??= read();
      const waits = [pending[0], reading].filter((wait) => wait !== undefined);
      const event = await Promise.race(waits);
      if (event.kind === 'result') {
        pending.shift();
        yield event.result;
      } else {
        reading = undefined;
        if (event.kind === 'ended') end = event;
      }
    }
  } finally {
    isLeft = true;
  }
  if (end.failure !== undefined) throw end.failure.thrown;
}
