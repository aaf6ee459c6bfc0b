// @deltabase/guest-assemblyscript: what a machine's handlers program with. Everything here runs inside the
// machine; docs/machine-abi.md is what it stands on.

export { abort } from './assembly/abort';
export { reject, reply } from './assembly/answer';
export { context } from './assembly/context';
export { Json, JsonArray, JsonObject } from './assembly/json';
export { log } from './assembly/log';
export { patch } from './assembly/patch';
export { child, element } from './assembly/pointer';
export { Kind, message, Root, state } from './assembly/root';
export { now, random, randomBelow } from './assembly/world';
