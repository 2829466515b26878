/**
 * What is known of a board from before, kept by the caller for each device and given again: what does not work is not
 * tried twice. The library changes it.
 */
export interface BoardMemory {
  /** The device answered as MicroPython does: silence is then a busy board and no stranger. */
  isBoard: boolean
  /** Whether it has raw-paste mode; null: it was not asked yet. */
  hasRawPaste: boolean | null
  /** How many bytes it takes while it is busy, as it told or as was measured; less after it lost some. null: nobody knows. */
  inputBytes: number | null
}

export function createBoardMemory(): BoardMemory {
  return { isBoard: false, hasRawPaste: null, inputBytes: null }
}
