import { byId, createElement } from "@serialcast/web-terminal"
import { crumbsOf, type Folder, type FolderEntry, pathIn, sizeText } from "./folder.ts"

export interface FolderViewHandlers {
  readonly onOpen: (path: string) => void
  readonly onGet: (file: FolderEntry) => void
  readonly onRemove: (entry: FolderEntry) => void
}

/** Shows a folder: the way to it, and a row for each entry. Arrow keys go from row to row, Delete removes, Backspace leads up. */
export class FolderView {
  readonly #handlers: FolderViewHandlers
  readonly #crumbs = byId("crumbs", HTMLElement)
  readonly #list = byId("entries", HTMLElement)
  readonly #hint = byId("folder-hint", HTMLElement)
  #shown: Folder | null = null

  constructor(handlers: FolderViewHandlers) {
    this.#handlers = handlers
    this.#list.addEventListener("keydown", (event) => {
      if (this.#takeKey(event.key)) event.preventDefault()
    })
  }

  show(folder: Folder): void {
    const focused = document.activeElement
    const hadFocus = this.#list.contains(focused) || this.#crumbs.contains(focused)
    const before = this.#shown?.path === folder.path ? indexOfFocus(this.#list) : 0
    const handlers = this.#handlers
    this.#shown = folder
    this.#crumbs.replaceChildren(...crumbsOf(folder.path).map((one) => createCrumb(one, folder, handlers)))
    this.#list.replaceChildren(...folder.entries.map((entry) => createRow(entry, folder, handlers)))
    this.#hint.textContent = hintOf(folder)
    if (hadFocus && !focusRow(this.#list, before))
      this.#crumbs.querySelector<HTMLElement>("button:last-of-type")?.focus()
  }

  /** Shows no folder, and why. */
  clear(hint: string): void {
    this.#shown = null
    this.#crumbs.replaceChildren()
    this.#list.replaceChildren()
    this.#hint.textContent = hint
  }

  /** What is clicked meanwhile does nothing; it keeps the focus. */
  setBusy(isBusy: boolean): void {
    this.#list.setAttribute("aria-busy", String(isBusy))
  }

  /** False: the key means nothing here. */
  #takeKey(key: string): boolean {
    const entry = this.#shown?.entries[indexOfFocus(this.#list)]
    if (this.#shown === null || entry === undefined) return false
    if (key === "Delete") this.#handlers.onRemove(entry)
    else if (key === "Backspace") openAbove(this.#shown, this.#handlers)
    else return moveFocus(this.#list, key)
    return true
  }
}

function hintOf({ entries, leftOut }: Folder): string {
  if (leftOut > 0) return `${leftOut} more are not shown.`
  return entries.length === 0 ? "The folder is empty." : ""
}

function createCrumb(
  { name, path }: { readonly name: string; readonly path: string },
  folder: Folder,
  { onOpen }: FolderViewHandlers,
): HTMLElement {
  const crumb = createElement("button", { className: "crumb", text: name })
  crumb.type = "button"
  if (path === folder.path) crumb.setAttribute("aria-current", "page")
  if (path === "/") crumb.setAttribute("aria-label", "Root folder")
  crumb.addEventListener("click", () => onOpen(path))
  return crumb
}

function createRow(entry: FolderEntry, folder: Folder, handlers: FolderViewHandlers): HTMLElement {
  const { name, kind, size } = entry
  const isFile = kind === "file"
  const children = [createElement("span", { className: "name", text: name })]
  if (isFile) children.push(createElement("span", { className: "size", text: sizeText(size) }))
  const main = createElement("button", { className: `entry ${kind}`, children })
  main.type = "button"
  main.setAttribute("aria-keyshortcuts", "Delete")
  main.title = isFile ? `Get ${name}, ${size} bytes` : `Open ${name}`
  main.addEventListener("click", () =>
    isFile ? handlers.onGet(entry) : handlers.onOpen(pathIn(folder.path, name)),
  )
  const remove = createElement("button", { className: "remove", text: "×" })
  remove.type = "button"
  remove.title = `Remove ${name}`
  remove.setAttribute("aria-label", remove.title)
  // Rows are gone through by the tab key without stopping twice: in a row the Delete key removes.
  remove.tabIndex = -1
  remove.addEventListener("click", () => handlers.onRemove(entry))
  return createElement("li", { children: [main, remove] })
}

function openAbove({ path }: Folder, { onOpen }: FolderViewHandlers): void {
  const above = crumbsOf(path).at(-2)
  if (above !== undefined) onOpen(above.path)
}

const steps: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
}

/** False: the key leads nowhere. */
function moveFocus(list: HTMLElement, key: string): boolean {
  const step = steps[key]
  if (step === undefined) return false
  focusRow(list, indexOfFocus(list) + step)
  return true
}

function indexOfFocus(list: HTMLElement): number {
  const row = document.activeElement?.closest("li")
  return row ? Math.max(0, [...list.children].indexOf(row)) : 0
}

/** Gives the focus to the nearest row that there is; false: there is none. */
function focusRow(list: HTMLElement, index: number): boolean {
  const at = Math.max(0, Math.min(index, list.children.length - 1))
  const row = list.children[at]?.querySelector<HTMLElement>(".entry")
  row?.focus()
  return row !== undefined && row !== null
}
