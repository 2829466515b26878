import { expect, test } from "vitest"
import { BoardConnection, type SocketLike } from "./board-connection.ts"

/** A browser's socket as far as it is used, whose other end the test plays. */
class PlayedSocket extends EventTarget {
  binaryType: BinaryType = "blob"
  bufferedAmount = 0
  readyState = 1
  readonly sent: (string | Uint8Array)[] = []

  send(data: string | Uint8Array): void {
    if (this.readyState === 0) throw new DOMException("It is connecting.", "InvalidStateError")
    this.sent.push(data)
  }

  close(): void {
    this.end("")
  }

  end(reason: string): void {
    this.dispatchEvent(Object.assign(new Event("close"), { reason }))
  }

  receive(...bytes: number[]): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data: Uint8Array.from(bytes).buffer }))
  }

  receiveText(data: string): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }))
  }

  /** What the n-th frame holds. */
  async frame(at: number): Promise<Uint8Array> {
    while (this.sent.length <= at) await new Promise((resolve) => setImmediate(resolve))
    const frame = this.sent[at]
    if (frame === undefined || typeof frame === "string") throw new TypeError("it is text")
    return frame
  }
}

function connect() {
  const socket = new PlayedSocket()
  const texts: string[] = []
  const board = new BoardConnection(socket as unknown as SocketLike, {
    onText: (text) => texts.push(text),
    onClosed: (reason) => texts.push(`closed: ${reason}`),
  })
  return { socket, board, texts }
}

const ok = [0x57, 0x42, 0, 0] as const

test("keys are text frames with CR for a line end", () => {
  const { socket, board, texts } = connect()
  board.type("a\nb\r\nc\r")
  expect(socket.sent).toEqual(["a\rb\rc\r"])
  socket.receiveText("Password: ")
  expect(texts).toEqual(["Password: "])
})

test("keys that are pressed before the connection is there go nowhere", () => {
  const { socket, board } = connect()
  socket.readyState = 0
  board.type("a")
  socket.readyState = 1
  board.type("b")
  expect(socket.sent).toEqual(["b"])
})

test("a server that sends frames that nobody waits for is left", () => {
  const { socket, texts } = connect()
  for (let count = 0; count < 16; count++) socket.receive(...ok)
  expect(texts).toEqual([])
  socket.receive(...ok)
  expect(texts).toEqual(["closed: the other side sent what nobody had asked for"])
})

test("a file is put in pieces of 1024 behind the first response", async () => {
  const { socket, board } = connect()
  const file = Uint8Array.from({ length: 2_500 }, (_, index) => index & 0xff)
  const putting = board.put("é.bin", file, () => {})
  const request = await socket.frame(0)
  expect(request.byteLength).toBe(82)
  expect(Buffer.from(request.subarray(0, 26)).toString("hex")).toBe(
    "5741010000000000000000 00c40900000600c3a92e62696e0000".replace(" ", ""),
  )
  expect(socket.sent.length).toBe(1)
  socket.receive(...ok)
  expect((await socket.frame(3)).byteLength).toBe(2_500 - 2 * 1_024)
  socket.receive(...ok)
  await putting
})

test("a file is got chunk by chunk, each asked for", async () => {
  const { socket, board } = connect()
  const getting = board.get("boot.py", () => {})
  await socket.frame(0)
  socket.receive(...ok)
  expect(await socket.frame(1)).toEqual(Uint8Array.of(0))
  socket.receive(3, 0, 1, 2, 3)
  await socket.frame(2)
  socket.receive(0, 0)
  socket.receive(...ok)
  expect(await getting).toEqual(Uint8Array.of(1, 2, 3))
})

test("a code that is not 0 is a failure, at either place, and so is a connection that ends", async () => {
  const { socket, board } = connect()
  const refused = board.get("nothing.py", () => {})
  socket.receive(0x57, 0x42, 2, 0)
  await expect(refused).rejects.toThrow("The board does not give the file (code 2)")
  const failed = board.put("x", new Uint8Array(0), () => {})
  socket.receive(...ok)
  socket.receive(0x57, 0x42, 28, 0)
  await expect(failed).rejects.toThrow("(code 28)")
  const cut = board.get("boot.py", () => {})
  socket.end("the service stops")
  await expect(cut).rejects.toThrow("The connection was closed.")
  await expect(board.get("boot.py", () => {})).rejects.toThrow("The connection was closed.")
})

test("a name that has no room in a request is refused, as it would be cut", async () => {
  const { board } = connect()
  await expect(board.get("n".repeat(65), () => {})).rejects.toThrow("The name has 65 bytes")
})

test("the version is told, when it is known, and folders are only there when the other side says so", async () => {
  const { socket, board } = connect()
  const ofBoard = board.about()
  expect([...(await socket.frame(0)).subarray(2, 4)]).toEqual([3, 1])
  socket.receive(1, 29, 0)
  expect(await ofBoard).toEqual({ version: "1.29.0", hasFolders: false })
  const ofService = board.about()
  socket.receive(0, 0, 0, 1)
  expect(await ofService).toEqual({ version: null, hasFolders: true })
})

test("a folder is listed as a file is got, and a file removed with one response", async () => {
  const { socket, board } = connect()
  const listing = board.list("/lib")
  expect(Buffer.from((await socket.frame(0)).subarray(18, 23)).toString()).toBe("/lib\0")
  socket.receive(...ok)
  await socket.frame(1)
  const document = new TextEncoder().encode(
    '{"path":"/lib","entries":[{"name":"a.py","kind":"file","size":7}],"leftOut":0}',
  )
  socket.receive(document.byteLength, 0, ...document)
  await socket.frame(2)
  socket.receive(0, 0)
  socket.receive(...ok)
  const entries = [{ name: "a.py", kind: "file", size: 7 }]
  expect(await listing).toEqual({ path: "/lib", entries, leftOut: 0 })
  const removing = board.remove("/lib/a.py")
  expect((await socket.frame(3))[2]).toBe(5)
  socket.receive(...ok)
  await removing
  const failing = board.remove("/lib")
  socket.receive(0x57, 0x42, 39, 0)
  await expect(failing).rejects.toThrow("The board does not remove /lib (code 39)")
})
