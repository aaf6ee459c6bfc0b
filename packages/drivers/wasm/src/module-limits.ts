// Bounds on the shape of a module, beside moduleBytesMax, moduleFunctionsMax and memoryPagesMax of the
// limits. They are not for tuning: each keeps a small file from costing the compiler much time or memory
// and lies far above what compilers emit (a Go program is the largest known).

/** Types of a module; V8 allows 1,000,000. */
export const TYPES_MAX = 20_000;
/** Parameters of one function type; each is a slot of a frame. */
export const PARAMETERS_MAX = 256;
/** Results of one function type; a branch moves them all for one unit of fuel. */
export const RESULTS_MAX = 32;
/** Tables of a module. */
export const TABLES_MAX = 16;
/** Elements of one table; each takes 8 bytes and more. */
export const TABLE_ELEMENTS_MAX = 100_000;
/** Globals of a module; the mutable ones are restored after every message. */
export const GLOBALS_MAX = 10_000;
/** Exports of a module. */
export const EXPORTS_MAX = 10_000;
/** Imports of a module; the ABI has few functions, and each may be imported once or several times. */
export const IMPORTS_MAX = 1_000;
/** Locals of one function, parameters included: each must be cleared when it is entered. */
export const LOCALS_MAX = 10_000;
/** Locals of all functions together: a few bytes can declare thousands, compiled code cannot. */
export const LOCALS_TOTAL_MAX = 2_000_000;
/** Values that blocks with several parameters or results pass on, in one function. */
export const BLOCK_VALUES_MAX = 100_000;
