// What a document is found by.

export interface DocumentName {
  readonly space: string;
  readonly key: string;
}

/** One string for it, unlike that of any other: no space has a slash in its name. */
export function documentId({ space, key }: DocumentName): string {
  return `${space}/${key}`;
}
