// Lines for whoever operates the machine; they are no part of the document.

import * as host from './host';
import { encodeText, textAt, textLength } from './utf8';

export namespace log {
  export function debug(line: string): void {
    write(0, line);
  }

  export function info(line: string): void {
    write(1, line);
  }

  export function warn(line: string): void {
    write(2, line);
  }

  export function error(line: string): void {
    write(3, line);
  }
}

function write(level: i32, line: string): void {
  encodeText(line);
  host.log(level, textAt, textLength);
}
