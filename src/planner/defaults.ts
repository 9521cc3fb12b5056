/** What all plans take when nobody says. Tokens. */
export const DEFAULT_CONTEXT = 8192
