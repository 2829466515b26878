import { byId } from "@serialcast/web-terminal"
import { createSendHistory } from "./send-history.ts"

const lineEndKey = "serialcast.lineEnd"
/** By the value of their option in the page. */
const lineEnds = new Map([
  ["none", ""],
  ["cr", "\r"],
  ["lf", "\n"],
  ["crlf", "\r\n"],
])
/** What Enter sends in the terminal, and what shells, boot loaders and modems take as the end of a line. */
const defaultLineEnd = "cr"

export interface SendBox {
  focus(): void
}

/** The line below the terminal: typed at leisure, sent whole. */
export function createSendBox(onSend: (text: string) => void): SendBox {
  const form = byId("send", HTMLFormElement)
  const input = byId("send-input", HTMLInputElement)
  const lineEnd = byId("send-line-end", HTMLSelectElement)
  const history = createSendHistory({ capacity: 100 })

  lineEnd.value = localStorage.getItem(lineEndKey) ?? defaultLineEnd
  lineEnd.addEventListener("change", () => localStorage.setItem(lineEndKey, lineEnd.value))

  form.addEventListener("submit", (event) => {
    event.preventDefault()
    onSend(input.value + (lineEnds.get(lineEnd.value) ?? ""))
    history.add(input.value)
    input.value = ""
  })
  input.addEventListener("keydown", (event) => {
    const line = lineFor(event.key)
    if (line === undefined) return
    event.preventDefault()
    input.value = line
  })

  function lineFor(key: string): string | undefined {
    if (key === "ArrowUp") return history.older(input.value)
    return key === "ArrowDown" ? history.newer() : undefined
  }

  return { focus: () => input.focus() }
}
