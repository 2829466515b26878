import { byId } from "@serialcast/web-terminal"
import type { BoardConnection } from "./board-connection.ts"
import { FolderBrowser } from "./folder-browser.ts"
import { prepareNamedFiles } from "./named-files.ts"
import { createTransfers } from "./transfers.ts"

export interface FileControls {
  /** Transfers are possible. `hasFolders`: folders can be listed. */
  connected(hasFolders: boolean): void
  disconnected(): void
}

/** Wires the part of the page that has the files of the board. `boardNow`: null while none is connected. */
export function prepareFiles(boardNow: () => BoardConnection | null): FileControls {
  let isConnected = false
  const update = () => {
    named.setEnabled(isConnected && !transfers.isBusy)
    folders.setBusy(transfers.isBusy)
  }
  const transfers = createTransfers(boardNow, update)
  const folders = new FolderBrowser(transfers)
  const named = prepareNamedFiles(transfers, (board) => folders.list(board))
  return {
    connected(hasFolders) {
      isConnected = true
      folders.begin(hasFolders)
      byId("by-name", HTMLDetailsElement).open = !hasFolders
      update()
    },
    disconnected() {
      isConnected = false
      folders.end()
      update()
    },
  }
}
