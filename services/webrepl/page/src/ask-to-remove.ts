import { byId } from "@serialcast/web-terminal"
import type { FolderEntry } from "./folder.ts"

/** Asks the user, who may leave by Escape; true: remove it. */
export function askToRemove(name: string, kind: FolderEntry["kind"]): Promise<boolean> {
  const dialog = byId("remove-dialog", HTMLDialogElement)
  const what = kind === "file" ? "the file" : "the empty folder"
  byId("remove-question", HTMLElement).textContent = `Remove ${what} ${name} from the board?`
  const ending = new AbortController()
  const { signal } = ending
  const { promise, resolve } = Promise.withResolvers<boolean>()
  dialog.returnValue = ""
  dialog.addEventListener(
    "close",
    () => {
      ending.abort()
      resolve(dialog.returnValue === "remove")
    },
    { signal },
  )
  for (const [id, answer] of [
    ["remove-yes", "remove"],
    ["remove-no", ""],
  ] as const)
    byId(id, HTMLButtonElement).addEventListener("click", () => dialog.close(answer), { signal })
  dialog.showModal()
  return promise
}
