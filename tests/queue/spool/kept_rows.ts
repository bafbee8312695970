/** How many rows the writer keeps. */
export const KEPT_ROWS = 500;
