/** Finds the ends of messages, byte by byte: so frames cannot depend on how the bytes were divided into chunks. */
export interface Scanner {
  take(byte: number, offset: number, timeUs: number): void
  /** Gives back, as bytes of the message, what was held as the possible begin of something else. */
  release(): void
  /**
   * The next byte does not follow on the last one. `isBegin`: a message begins with it, as at the opening of a port; else
   * it may be any byte of one.
   */
  restart(isBegin: boolean): void
  /** Whether a message that has begun is over when nothing more was read up to then, in microseconds since 1970. */
  isOverAt(timeUs: number): boolean
  /** It was taken to be over. */
  silence(): void
}
