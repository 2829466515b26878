import { byId } from "@serialcast/web-terminal"
import type { BoardConnection } from "./board-connection.ts"
import { saveFile } from "./save-file.ts"
import type { Transfer, Transfers } from "./transfers.ts"

/**
 * Wires the sending and getting of files by their names on the board, whether or not it lists any. `onPut`: behind each put,
 * a part of it.
 */
export function prepareNamedFiles(transfers: Transfers, onPut: (board: BoardConnection) => Promise<void>) {
  const putButton = byId("put-button", HTMLButtonElement)
  const getButton = byId("get-button", HTMLButtonElement)
  const put = preparePut()
  putButton.addEventListener("click", () => {
    void transfers.run(async (board, progress) => {
      const said = await put(board, progress)
      await onPut(board)
      return said
    })
  })
  getButton.addEventListener("click", () => void transfers.run(get))
  return {
    setEnabled(isEnabled: boolean) {
      for (const button of [putButton, getButton]) button.disabled = !isEnabled
    },
  }
}

function preparePut(): Transfer {
  const input = byId("put-file", HTMLInputElement)
  const nameInput = byId("put-name", HTMLInputElement)
  input.addEventListener("change", () => {
    nameInput.value = input.files?.[0]?.name ?? ""
  })
  return async (board, progress) => {
    const [file] = input.files ?? []
    const name = nameInput.value
    if (file === undefined || name === "") throw new Error("Choose a file, and its name on the board.")
    const bytes = new Uint8Array(await file.arrayBuffer())
    await board.put(name, bytes, (sent) => progress(`Sending ${name}`, sent, bytes.byteLength))
    return `Sent ${name}, ${bytes.byteLength} bytes.`
  }
}

const get: Transfer = async (board, progress) => {
  const name = byId("get-name", HTMLInputElement).value
  if (name === "") throw new Error("Name a file on the board.")
  const bytes = await board.get(name, (got) => progress(`Getting ${name}: ${got} bytes`))
  saveFile(name, bytes)
  return `Got ${name}, ${bytes.byteLength} bytes.`
}
