// The first pages of the memory are scratch space at fixed addresses, so that the module needs no
// allocator: the host (lib/compute/memory.ts) hands out everything from HEAP on. Nothing here
// survives a call.

/** A tile's results where fewer than 5 rows or 2 vectors of it are wanted: 5 x 32 bytes. */
export const TILE: usize = 1024;

/** 16 values and their 16 codes: the ragged end of a group. */
export const TAIL: usize = 2048;

/** The tables of codebook.ts. */
export const TABLES: usize = 3072;

/**
 * Products are summed in stretches of this many, so that 5 rows of A and 2 vectors of B stay in the
 * L1 cache.
 */
export const DEPTH: i32 = 256;

/** Rows of A that are copied together and stay in the L2 cache. */
export const BLOCK_ROWS: i32 = 160;

/** Bytes of one row of the copied part of B: 512 columns in f64, 1,024 in f32. */
export const PANEL_BYTES: i32 = 4096;

/** The copied part of A: at most BLOCK_ROWS x DEPTH values. */
export const BLOCK_A: usize = 65536;

/** The copied part of B: at most DEPTH x PANEL_BYTES bytes. */
export const PANEL_B: usize = BLOCK_A + <usize> (BLOCK_ROWS * DEPTH * 8);

/** Where the host's arrays begin. */
export const HEAP: usize = PANEL_B + <usize> (DEPTH * PANEL_BYTES);
