import { byId } from "@serialcast/web-terminal"
import type { BoardConnection } from "./board-connection.ts"

export interface FileControls {
  /** Transfers are possible, or are not. */
  setEnabled(isEnabled: boolean): void
}

/** Wires the part of the page that sends and gets files. `boardNow`: null while none is connected. */
export function prepareFiles(boardNow: () => BoardConnection | null): FileControls {
  const putButton = byId("put-button", HTMLButtonElement)
  const getButton = byId("get-button", HTMLButtonElement)
  const status = byId("file-status", HTMLElement)
  const show = (text: string) => {
    status.textContent = text
  }
  let isEnabled = false
  let isBusy = false
  const update = () => {
    for (const button of [putButton, getButton]) button.disabled = !isEnabled || isBusy
  }

  /** One at a time: the protocol has no more. */
  async function transfer(work: Transfer): Promise<void> {
    const board = boardNow()
    if (board === null || isBusy) return
    isBusy = true
    update()
    try {
      show(await work(board, show))
    } catch (error) {
      show(error instanceof Error ? error.message : String(error))
    } finally {
      isBusy = false
      update()
    }
  }

  const put = preparePut()
  putButton.addEventListener("click", () => void transfer(put))
  getButton.addEventListener("click", () => void transfer(get))
  return {
    setEnabled(next) {
      isEnabled = next
      update()
    },
  }
}

/** Answers what came of it. `show`: how far it has come. */
type Transfer = (board: BoardConnection, show: (text: string) => void) => Promise<string>

function preparePut(): Transfer {
  const input = byId("put-file", HTMLInputElement)
  const nameInput = byId("put-name", HTMLInputElement)
  input.addEventListener("change", () => {
    nameInput.value = input.files?.[0]?.name ?? ""
  })
  return async (board, show) => {
    const [file] = input.files ?? []
    const name = nameInput.value
    if (file === undefined || name === "") return "Choose a file, and its name on the board."
    const bytes = new Uint8Array(await file.arrayBuffer())
    await board.put(name, bytes, (sent) => show(`Sending ${name}: ${sent} of ${bytes.byteLength} bytes`))
    return `Sent ${name}, ${bytes.byteLength} bytes.`
  }
}

const get: Transfer = async (board, show) => {
  const name = byId("get-name", HTMLInputElement).value
  if (name === "") return "Name a file on the board."
  const bytes = await board.get(name, (got) => show(`Getting ${name}: ${got} bytes`))
  save(name, bytes)
  return `Got ${name}, ${bytes.byteLength} bytes.`
}

/** As a download, under the last part of its name. */
function save(name: string, bytes: Uint8Array): void {
  // Made by this page on a plain buffer, never on a shared one.
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]))
  const link = document.createElement("a")
  link.href = url
  link.download = name.split("/").at(-1) ?? name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
