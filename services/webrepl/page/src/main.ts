import { byId, createTerminalView } from "@serialcast/web-terminal"
import { BoardConnection } from "./board-connection.ts"
import { askForDevice, boardNameOf } from "./board-name.ts"
import { prepareFiles } from "./files.ts"
import { LogIn } from "./log-in.ts"

const address = byId("address", HTMLInputElement)
const password = byId("password", HTMLInputElement)
const button = byId("connect-button", HTMLButtonElement)
const status = byId("status", HTMLElement)

const scheme = location.protocol === "https:" ? "wss" : "ws"
const ownAddress = `${scheme}://${location.host}${location.pathname}`
/** This very board, or the one that the address of the page names behind `#`, like `#10.0.0.7:8266`. */
address.value = location.hash === "" ? ownAddress : `${scheme}://${location.hash.slice(1)}/`
void nameTheBoard()

let board: BoardConnection | null = null
let isCongested = false
const terminal = createTerminalView(byId("terminal", HTMLElement), {
  onTyped: (text) => board?.type(text),
  // Nobody can stop reading from a browser's WebSocket: what has no room is left out, and that is told.
  onCongested(isNowCongested) {
    isCongested = isNowCongested
    if (!isCongested) terminal.notice("the board said more than could be shown; a part is left out")
  },
  onLeave: () => button.focus(),
})
const files = prepareFiles(() => board)
files.disconnected()

function show(text: string, isConnected: boolean): void {
  status.textContent = text
  button.textContent = isConnected ? "Disconnect" : "Connect"
  address.disabled = isConnected
}

/** In the bar and in the title, now and whenever the address is another one. */
async function nameTheBoard(): Promise<void> {
  const own = { address: ownAddress, device: await askForDevice() }
  const showName = () => {
    const name = boardNameOf(address.value, own) || "WebREPL"
    byId("board-name", HTMLElement).textContent = name
    document.title = `${name} – WebREPL`
  }
  showName()
  address.addEventListener("input", showName)
}

function connect(): void {
  const logIn = new LogIn()
  const socket = openSocket(address.value)
  if (socket === null) return show("This is no address; one begins with ws:// or wss://.", false)
  show("Connecting…", true)
  terminal.reset()
  board = new BoardConnection(socket, {
    onText(text) {
      if (!isCongested) terminal.write(new TextEncoder().encode(text))
      const told = logIn.hear(text)
      if (told === "welcomed") void greet()
      if (told !== "asked") return
      show("Asked for the password", true)
      if (password.value !== "") board?.type(`${password.value}\r`)
    },
    onClosed(reason) {
      board = null
      files.disconnected()
      const why = logIn.wasHeard ? "Disconnected" : "Not reachable"
      terminal.notice(reason === "" ? why.toLowerCase() : `${why.toLowerCase()}: ${reason}`)
      show(why, false)
    },
  })
  terminal.focus()
}

async function greet(): Promise<void> {
  show("Connected", true)
  try {
    const greeted = board
    const about = await greeted?.about()
    if (about === undefined || board !== greeted) return
    if (about.version !== null) show(`Connected, MicroPython ${about.version}`, true)
    // Not before: the answer is awaited alone.
    files.connected(about.hasFolders)
  } catch {
    // The connection has ended, which is shown.
  }
}

function openSocket(url: string): WebSocket | null {
  try {
    return new WebSocket(url)
  } catch {
    // Of what a person typed, the browser says nothing that would help.
    return null
  }
}

byId("connect", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault()
  if (board === null) connect()
  else board.close()
})
