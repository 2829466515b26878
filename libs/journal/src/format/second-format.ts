/*
 * The entries of format 2. Numbers behind the kind are varints (ByteWriter), offsets count from the segment's start, and
 * times, which may run backwards, from the block's:
 *
 *   "C" block    offset, number of the next mark there, time in microseconds since 1970.
 *   "b" bytes    offset, how many, time, u32 CRC-32 of them
 *   "m" mark     offset, its number there, time, JSON of the rest in UTF-8 up to the entry's end
 *   "t" text     UTF-8 up to the entry's end: the block's next text
 *   "s" started  offset, number, time, client, by, bytes, id
 *   "d" drained  offset, number, time, which, bytes
 *
 * `client` and `by` are texts of the block, counted from 1; 0: none. An id is u8 1 and the 16 bytes of a UUID that is
 * written in lower case with hyphens, or u8 0 and UTF-8 up to the entry's end. `which` counts the block's `started`
 * entries backwards: 0 is the newest. So the two marks of a write take some 60 bytes; as JSON they took 350.
 *
 * A block is what can be read by itself: a reader that starts in the middle of an index starts at one, and after damage
 * the next one is good again.
 */
export const kinds = {
  block: 0x43,
  bytes: 0x62,
  mark: 0x6d,
  text: 0x74,
  started: 0x73,
  drained: 0x64,
} as const

/** What a reader passes in vain, and damage costs, at most; the texts of a block take a hundredth of it. */
export const blockBytes = 16 * 1024

export const idForms = { text: 0, uuid: 1 } as const
export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
