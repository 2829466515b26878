/** What the process answers its shell. Scripts depend on these: they are never renumbered. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** The arguments were wrong; nothing was done. */
  usage: 2,
  /** `bridge`: the other end of the cable did not answer in time. The number is that of the original serialtcp. */
  unsynchronised: 2,
  /** Bytes that were asked for are not kept any more. */
  gap: 3,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
