// Wants to write to a file of its host: an import outside the ABI, so it cannot be deployed.

import { reply } from '@deltabase/guest-assemblyscript';

// @ts-expect-error: decorator
@external('wasi_snapshot_preview1', 'fd_write')
declare function fdWrite(file: i32, parts: usize, count: i32, written: usize): i32;

export function on_write(): void {
  reply(<f64>fdWrite(1, 0, 1, 64));
}
