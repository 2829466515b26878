import { byId } from "@serialcast/web-terminal"
import type { BoardConnection } from "./board-connection.ts"

/** Shows how far it has come. Without a total, or when all has left and the board still works on it, nobody knows. */
export type Progress = (text: string, doneBytes?: number, totalBytes?: number) => void

/** Answers what came of it; empty: nothing to say. Throws a sentence. */
export type Transfer = (board: BoardConnection, progress: Progress) => Promise<string>

export interface Transfers {
  readonly isBusy: boolean
  /** One at a time: the protocol has no more. Nothing is done while another one runs, or none is connected. */
  run(work: Transfer): Promise<void>
}

/** Runs what takes the board, and shows its progress and its end. `onChange`: it has begun, or ended. */
export function createTransfers(boardNow: () => BoardConnection | null, onChange: () => void): Transfers {
  const status = byId("file-status", HTMLElement)
  const bar = byId("file-progress", HTMLProgressElement)
  let isBusy = false
  const show: Progress = (text, doneBytes = 0, totalBytes = 0) => {
    status.textContent = text
    if (doneBytes < totalBytes) {
      bar.max = totalBytes
      bar.value = doneBytes
    } else bar.removeAttribute("value")
  }
  return {
    get isBusy() {
      return isBusy
    },
    async run(work) {
      const board = boardNow()
      if (board === null || isBusy) return
      isBusy = true
      bar.hidden = false
      onChange()
      let said: string
      try {
        said = await work(board, show)
      } catch (error) {
        said = error instanceof Error ? error.message : String(error)
      }
      isBusy = false
      bar.hidden = true
      status.textContent = said
      onChange()
    },
  }
}
