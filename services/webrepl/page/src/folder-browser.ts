import { byId } from "@serialcast/web-terminal"
import { askToRemove } from "./ask-to-remove.ts"
import type { BoardConnection } from "./board-connection.ts"
import { receiveDroppedFiles } from "./dropped-files.ts"
import { type Folder, type FolderEntry, pathIn, sizeText } from "./folder.ts"
import { FolderView } from "./folder-view.ts"
import { saveFile } from "./save-file.ts"
import { sendFiles } from "./send-files.ts"
import type { Transfers } from "./transfers.ts"

/** The list of a folder: what is in it, the way up and down, and the files that go into it and come from it. */
export class FolderBrowser {
  readonly #transfers: Transfers
  readonly #view: FolderView
  readonly #listButton = byId("list-button", HTMLButtonElement)
  readonly #sendButton = byId("send-button", HTMLButtonElement)
  #state: "away" | "no-folders" | "folders" = "away"
  /** What is shown; null: nothing yet. */
  #folder: Folder | null = null

  constructor(transfers: Transfers) {
    this.#transfers = transfers
    this.#view = new FolderView({
      onOpen: (path) => void this.#open(path),
      onGet: (file) => void this.#get(file),
      onRemove: (entry) => void this.#remove(entry),
    })
    this.#listButton.addEventListener("click", () => void this.#open(this.#folder?.path))
    this.#prepareChoice()
    receiveDroppedFiles(byId("files", HTMLElement), {
      mayDrop: () => this.#state !== "away" && !transfers.isBusy,
      onDrop: (files) => void this.#send(files),
    })
  }

  /** A board is there. Nothing is listed yet: that would interrupt its program, and nobody has asked for it. */
  begin(hasFolders: boolean): void {
    this.#enter(
      hasFolders ? "folders" : "no-folders",
      hasFolders
        ? "“List” shows the files of the board. It interrupts a program that runs, as each transfer does."
        : "This board tells no list of its files. They can be sent, and got by their names.",
    )
  }

  end(): void {
    this.#enter("away", "Connect to see the files of the board.")
  }

  setBusy(isBusy: boolean): void {
    this.#view.setBusy(isBusy)
  }

  /** Lists the folder that is shown anew, or another one, as a part of a transfer; nothing where there are no lists. */
  async list(board: BoardConnection, path = this.#folder?.path ?? ""): Promise<void> {
    if (this.#state !== "folders") return
    this.#folder = await board.list(path)
    this.#view.show(this.#folder)
    this.#listButton.textContent = "Refresh"
  }

  #enter(state: "away" | "no-folders" | "folders", hint: string): void {
    this.#state = state
    this.#folder = null
    this.#view.clear(hint)
    this.#listButton.textContent = "List"
    this.#listButton.disabled = state !== "folders"
    this.#sendButton.disabled = state === "away"
  }

  #prepareChoice(): void {
    const input = byId("send-files", HTMLInputElement)
    this.#sendButton.addEventListener("click", () => input.click())
    input.addEventListener("change", () => {
      const files = [...(input.files ?? [])]
      // The same file may be chosen again.
      input.value = ""
      if (files.length > 0) void this.#send(files)
    })
  }

  #pathOf(name: string): string {
    return this.#folder === null ? name : pathIn(this.#folder.path, name)
  }

  async #open(path?: string): Promise<void> {
    await this.#transfers.run(async (board, progress) => {
      progress(`Reading ${path ?? "the folder"}`)
      await this.list(board, path)
      return ""
    })
  }

  async #get({ name, size }: FolderEntry): Promise<void> {
    await this.#transfers.run(async (board, progress) => {
      progress(`Getting ${name}`)
      const bytes = await board.get(this.#pathOf(name), (got) => progress(`Getting ${name}`, got, size))
      saveFile(name, bytes)
      return `Got ${name}, ${sizeText(bytes.byteLength)}.`
    })
  }

  async #remove({ name, kind }: FolderEntry): Promise<void> {
    const path = this.#pathOf(name)
    if (this.#transfers.isBusy || !(await askToRemove(name, kind))) return
    await this.#transfers.run(async (board, progress) => {
      progress(`Removing ${name}`)
      await board.remove(path)
      await this.list(board)
      return `Removed ${name}.`
    })
  }

  async #send(files: readonly File[]): Promise<void> {
    await this.#transfers.run(async (board, progress) => {
      // Where they go is looked up before, so that they are not sent to where nobody sees them.
      if (this.#folder === null) await this.list(board)
      try {
        const said = await sendFiles(board, files, { pathOf: (name) => this.#pathOf(name), progress })
        await this.list(board)
        return said
      } catch (error) {
        // What failed first is told; those before it have arrived, and are shown if they can be.
        await this.list(board).catch(() => {})
        throw error
      }
    })
  }
}
