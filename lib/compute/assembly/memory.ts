// The first pages of the memory are scratch space at fixed addresses, so that the module needs no allocator:
// the host (lib/compute/memory.ts) hands out everything from HEAP on. Nothing here survives a call.

/** A tile's results where fewer than 6 rows or 2 vectors of it are wanted: 6 x 32 bytes. */
export const TILE: usize = 1024;

/** 16 values and their 16 codes: the ragged end of a group. */
export const TAIL: usize = 2048;

/** The packed panel of B: at most DEPTH x PANEL_BYTES bytes. */
export const PANEL: usize = 65536;

/** Products are summed in stretches of this many, so that the 6 rows of A and 2 vectors of B stay in the L1 cache. */
export const DEPTH: i32 = 256;

/** Bytes of one row of the packed panel of B: 512 columns in f64, 1,024 in f32. */
export const PANEL_BYTES: i32 = 4096;

/** Where the host's arrays begin. */
export const HEAP: usize = PANEL + <usize> (DEPTH * PANEL_BYTES);
