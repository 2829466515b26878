/**
 * What is known of a board from before, kept by the caller for each device and given again: what does not work is not
 * tried twice. The library changes it.
 */
export interface BoardMemory {
  /** The device answered as MicroPython does: silence is then a busy board and no stranger. */
  isBoard: boolean
  /** `false`: it was asked for and does not work. */
  hasRawPaste: boolean | null
  /** How many bytes it takes while it is busy; null: nobody knows. */
  inputBytes: number | null
}

export function createBoardMemory(): BoardMemory {
  return { isBoard: false, hasRawPaste: null, inputBytes: null }
}
