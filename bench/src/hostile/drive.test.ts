import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { Choices } from "./choices.ts"
import { drive } from "./drive.ts"
import { LogWatch } from "./log-watch.ts"
import { encodeText, type Surface } from "./surface.ts"

/** A server that does with each connection what the test says, and a surface that sends it two words. */
async function start(serve: (socket: Socket) => void): Promise<Surface> {
  const server = createServer((socket) => serve(socket.on("error", () => {}))).listen(0, "127.0.0.1")
  onTestFinished(() => void server.close())
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { name: "test", next: () => ({ port, inputs: [encodeText("one "), encodeText("two")] }) }
}

const choices = () => new Choices(seededRandom(1))

test("as many inputs as are asked for are sent, each connection its own conversation", async () => {
  const texts: string[] = []
  const surface = await start((socket) => {
    const at = texts.push("") - 1
    socket.on("data", (bytes) => {
      texts[at] += String(bytes)
      if (texts[at] === "one two") socket.write("hello")
    })
  })
  const sent = await drive(surface, choices(), 50)
  expect(sent).toBeGreaterThanOrEqual(50)
  expect(texts.length).toBe(sent / 2)
  // A reset may overtake what was sent before it.
  expect(texts.filter((text) => !"one two".startsWith(text))).toEqual([])
  expect(texts).toContain("one two")
})

test.each(["HTTP/1.1 500 Internal Server Error\r\n", '{"code":"internal"}', "\u0064codehinternal"])(
  "an answer that tells of a fault of the server is one: %j",
  async (answer) => {
    const surface = await start((socket) => void socket.end(answer))
    await expect(drive(surface, choices(), 10)).rejects.toThrow(/^test: .* after \["one ","two"\]/)
  },
)

test("a server that ends and resets connections is no fault", async () => {
  let count = 0
  const surface = await start((socket) => (count++ % 2 === 0 ? socket.end() : socket.resetAndDestroy()))
  await drive(surface, choices(), 100)
})

test("lines of the log are counted by what they say, and an error among them is a fault", () => {
  const log = new LogWatch()
  for (let count = 0; count < 3; count++) log.take('{"level":"warn","msg":"refused: too large"}')
  log.check()
  log.take('{"level":"error","msg":"request failed"}')
  expect(log.lines).toBe(4)
  expect(log.takeMessages()).toBe("3 × refused; 1 × request failed")
  expect(log.takeMessages()).toBe("")
  expect(() => log.check()).toThrow("request failed")
})
