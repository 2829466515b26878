/** Finds the ends of messages, byte by byte: so frames cannot depend on how the bytes were divided into chunks. */
export interface Scanner {
  take(byte: number, offset: number, timeUs: number): void
  /** Gives back, as bytes of the message, what was held as the possible begin of something else. */
  release(): void
  /**
   * The next byte does not follow on the last one. `isOpening`: it is the first one of an opening; else it may be any.
   * `sinceUs`: since then the port has been read, in microseconds since 1970; null: nobody knows.
   */
  restart(isOpening: boolean, sinceUs: number | null): void
  /** The clock was set: times from here on are by so much ahead of what they would be, in microseconds. */
  setClock(stepUs: number): void
  /** Whether a message that has begun is over when nothing more was read up to then, in microseconds since 1970. */
  isOverAt(timeUs: number): boolean
  /** It was taken to be over. */
  silence(): void
}
