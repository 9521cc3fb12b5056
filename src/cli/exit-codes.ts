/** What a command line ends with. */
export const EXIT = {
  ok: 0,
  /** Something that the user can mend. */
  userError: 1,
  /** Ours (EX_SOFTWARE of sysexits.h). */
  bug: 70,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const
