import { once } from "node:events"
import type { Server } from "node:http"
import { connect, type Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createRequestGuard } from "../access/request-guard.ts"
import { sendProblem } from "../problem/problem.ts"
import { refuseUpgrade } from "../problem/refuse-upgrade.ts"
import { closeServer } from "./close-server.ts"
import { createHttpServer, type HttpServerOptions } from "./http-server.ts"
import { listen } from "./listen.ts"
import { onUpgrade } from "./on-upgrade.ts"
import { type Handler, mostWaiting } from "./one-at-a-time.ts"

interface TestServer {
  readonly server: Server
  /** Codes of what was refused, in order. */
  readonly refused: string[]
  readonly connect: () => Promise<TestClient>
}

interface TestClient {
  readonly socket: Socket
  /** What came so far. */
  readonly text: () => string
  readonly closed: Promise<unknown>
}

async function start(
  handle: Handler = (_request, response) => void response.end("served"),
  options: Partial<HttpServerOptions> = {},
): Promise<TestServer> {
  const refused: string[] = []
  const refusals = { report: (_: unknown, { code }: AppError) => void refused.push(code) }
  const server = createHttpServer({ refusals, ...options }, handle)
  const { port } = await listen(server, { host: "127.0.0.1", port: 0 }, "test")
  onTestFinished(() => closeServer(server, { graceMs: 0 }))
  return {
    server,
    refused,
    async connect() {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
      let text = ""
      socket.setEncoding("latin1").on("data", (part: string) => (text += part))
      socket.on("error", () => {})
      const closed = new Promise((resolve) => socket.once("close", resolve))
      // A server's end shows as `end` where the client keeps its own half open.
      socket.once("end", () => socket.destroy())
      onTestFinished(() => void socket.destroy())
      await once(socket, "connect")
      return { socket, text: () => text, closed }
    },
  }
}

const requestAndUpgrade =
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" +
  "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

const refuse: Handler = (_request, response) =>
  sendProblem(response, new AppError("unauthorized", "Expected a token."))

test.each([
  [
    "a space in its address",
    "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    400,
    "bad_request",
    /percent-encode it as %20/,
  ],
  [
    "a space in its address, on a connection that was used",
    "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /a b HTTP/1.1\r\n\r\n",
    400,
    "bad_request",
    /percent-encode it as %20/,
  ],
  [
    "an address that is none",
    "GET http://[bad/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    400,
    "bad_request",
    /Expected an address/,
  ],
  ["no HTTP in it", "hello\r\n\r\n", 400, "bad_request", /not HTTP/],
  ["a header without a name", "GET / HTTP/1.1\r\n: x\r\n\r\n", 400, "bad_request", /not HTTP/],
  [
    "a length that is none",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    400,
    "bad_request",
    /not HTTP/,
  ],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
    "bad_request",
    /not HTTP/,
  ],
  [
    "headers without end",
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(17_000)}\r\n\r\n`,
    431,
    "headers_too_large",
    /too large/,
  ],
  ["an address without end", `GET /${"a".repeat(17_000)} HTTP/1.1\r\n\r\n`, 414, "uri_too_long", /too long/],
  [
    "an address without end, on a connection that was used",
    `GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /${"a".repeat(17_000)} HTTP/1.1\r\n\r\n`,
    414,
    "uri_too_long",
    /too long/,
  ],
  [
    "an expectation that nobody knows",
    "GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n",
    400,
    "bad_request",
    /100-continue/,
  ],
])("a request with %s gets one problem document", async (_what, sent, status, code, detail) => {
  const { connect } = await start()
  const { socket, text, closed } = await connect()
  socket.write(sent)
  await eventually(() => expect(text()).toMatch(new RegExp(`HTTP/1.1 ${status} [^]*\\}$`)))
  const answer = text().slice(text().lastIndexOf("HTTP/1.1 "))
  expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im)
  const document = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))) as Record<string, string>
  expect(document).toMatchObject({ status, code })
  expect(document["detail"]).toMatch(detail)
  if (!sent.includes("Expect")) await closed
})

test("a head that does not come in time is answered with 408, and is over", async () => {
  const { server, connect, refused } = await start()
  server.headersTimeout = 1
  const { socket, text, closed } = await connect()
  socket.write("GET / HTTP/1.1\r\nHost:")
  await closed
  expect(text()).toMatch(/^HTTP\/1.1 408 [^]*"code":"too_slow"/)
  expect(refused).toEqual(["too_slow"])
})

test("a connection on which nothing came is ended without a word", async () => {
  const { server, connect, refused } = await start()
  server.headersTimeout = 1
  const { text, closed } = await connect()
  await closed
  expect([text(), refused]).toEqual(["", []])
})

test("a body that is no body is answered where its request is served", async () => {
  const { connect } = await start((request) => void request.resume())
  const { socket, text, closed } = await connect()
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnot a length\r\n")
  await closed
  expect(text()).toMatch(/^HTTP\/1.1 400 [^]*"code":"bad_request"/)
})

test("who ends in the middle of a request is let go without an answer", async () => {
  const { connect, refused } = await start((request) => void request.resume())
  const { socket, text, closed } = await connect()
  socket.end("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
  await closed
  expect([text(), refused]).toEqual(["", []])
})

test.each([
  ["a body of which little comes", "Content-Length: 1000000\r\n\r\nx"],
  ["a chunked body without end", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"],
])(
  "who was refused, and goes on sending %s, has the whole answer and is cut off within two seconds",
  {
    timeout: 4_000,
  },
  async (_what, rest) => {
    const { connect } = await start(refuse)
    const { socket, text, closed } = await connect()
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${rest}`)
    const trickle = setInterval(() => socket.write("1\r\nx\r\n"), 50)
    onTestFinished(() => clearInterval(trickle))
    await closed
    expect(text()).toMatch(/^HTTP\/1.1 401 [^]*\}$/)
  },
)

test("who was refused and sends thousands of tiny chunks is cut off at once", { timeout: 900 }, async () => {
  const { connect } = await start(refuse)
  const { socket, closed } = await connect()
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
  socket.write("1\r\nx\r\n".repeat(20_000))
  await closed
})

test("who was answered and sends the rest at once goes on over the same connection", async () => {
  const { connect } = await start()
  const { socket, text } = await connect()
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nha")
  await eventually(() => expect(text()).toContain("served"))
  socket.write("lfGET / HTTP/1.1\r\nHost: x\r\n\r\n")
  await eventually(() => expect(text().match(/served/g)).toHaveLength(2))
})

test("however many of its requests are answered before they have come, a connection has no more listeners", async () => {
  const { server, connect } = await start()
  const accepted = once(server, "connection")
  const { socket, text } = await connect()
  const [connection] = (await accepted) as [Socket]
  const counts = new Set<number>()
  for (let count = 1; count <= 5; count++) {
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
    await eventually(() => expect(text().split("HTTP/1.1 200").length).toBe(2 * count))
    socket.write("x")
    // Answered once the rest of the one before has come.
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await eventually(() => expect(text().split("HTTP/1.1 200").length).toBe(2 * count + 1))
    counts.add(connection.listenerCount("close"))
  }
  expect(counts.size).toBe(1)
})

test("an upgrade that is refused ends, though its client keeps its half open", {
  timeout: 4_000,
}, async () => {
  const { server, connect } = await start()
  server.on("upgrade", (request, socket) =>
    refuseUpgrade(request, socket, new AppError("unauthorized", "Expected a token.")),
  )
  const { socket, text, closed } = await connect()
  // Never ends by itself.
  socket.removeAllListeners("end")
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
  const trickle = setInterval(() => socket.write("x"), 50)
  onTestFinished(() => clearInterval(trickle))
  await closed
  expect(text()).toMatch(/^HTTP\/1.1 401 /)
})

test("an upgrade behind a request that is not answered yet is refused after that answer, and ends nobody else", async () => {
  const answers: (() => void)[] = []
  const { server, connect } = await start((_request, response) => {
    answers.push(() => response.end("served"))
  })
  onUpgrade(server, () => expect.fail("it was upgraded"))
  const { socket, text, closed } = await connect()
  socket.write(requestAndUpgrade)
  await eventually(() => expect(answers.length).toBe(1))
  answers[0]?.()
  await closed
  expect(text()).toMatch(/^HTTP\/1.1 200 OK[^]*servedHTTP\/1.1 400 bad_request[^]*ahead of it/)
})

test("an upgrade behind an answer without an end cuts it off", async () => {
  const { server, connect } = await start((_request, response) => void response.write("and so on"))
  onUpgrade(server, () => expect.fail("it was upgraded"))
  const { socket, closed } = await connect()
  socket.write(requestAndUpgrade)
  await closed
})

test("a client that resets while its upgrade waits ends nobody else", async () => {
  const { server, connect } = await start(() => {})
  onUpgrade(server, () => expect.fail("it was upgraded"))
  const ended = new Promise<void>((resolve) =>
    server.on("connection", (connection) => connection.once("close", () => resolve())),
  )
  const { socket } = await connect()
  const upgraded = once(server, "upgrade")
  socket.write(requestAndUpgrade)
  await upgraded
  socket.resetAndDestroy()
  await ended
})

test("one address has half of the connections; what is beyond is closed at once, and told", async () => {
  const { connect, refused, server } = await start(undefined, { maxConnections: 4 })
  const first = await connect()
  await connect()
  await (await connect()).closed
  expect(refused).toEqual(["overloaded"])
  first.socket.destroy()
  await eventually(async () => {
    const { socket, text } = await connect()
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await eventually(() => expect(text()).toContain("served"), { timeoutMs: 500 })
  })
  expect(server.maxConnections).toBe(4)
})

test("requests that come together are worked on one after the other, and answered in order", async () => {
  const started: string[] = []
  const answers: (() => void)[] = []
  const { connect } = await start((request, response) => {
    started.push(request.url ?? "")
    answers.push(() => void response.end(`answer to ${request.url}.`))
  })
  const { socket, text } = await connect()
  socket.write(["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""))
  for (const turn of [1, 2, 3]) {
    await eventually(() => expect(started).toHaveLength(turn))
    answers[turn - 1]?.()
  }
  await eventually(() =>
    expect(text().match(/answer to \/\d/g)).toEqual(["answer to /1", "answer to /2", "answer to /3"]),
  )
})

test("who sends requests without end, of which none is answered, is cut off", async () => {
  let begun = 0
  const { connect } = await start(() => void begun++)
  const { socket, closed } = await connect()
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(mostWaiting + 2))
  await closed
  expect(begun).toBe(1)
})

test("headers are judged by their lengths before anything is made of them", async () => {
  const guard = createRequestGuard({ token: "a-token-of-some-length", hosts: [] })
  const handle: Handler = (request, response) => {
    const refusal = guard.whyNot(request)
    if (refusal === null) response.end("served")
    else sendProblem(response, refusal)
  }
  const { connect } = await start(handle, { maxHeaderBytes: 80 * 1_024 })
  const { socket, text } = await connect()
  const cookies = `Cookie: ${"serialcast_session=;".repeat(3_800)}`
  for (const headers of [cookies, Array.from({ length: 200 }, (_, n) => `X${n}: y`).join("\r\n")]) {
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`)
  }
  await eventually(() => expect(text().match(/HTTP\/1.1 431 /g)).toHaveLength(2))
})

test("HTTP/1.1 without a Host header is told what is missing", async () => {
  const guard = createRequestGuard({ token: null, hosts: [] })
  const { connect } = await start((request, response) => {
    const refusal = guard.whyNot(request)
    if (refusal === null) response.end("served")
    else sendProblem(response, refusal)
  })
  const [old, current] = [await connect(), await connect()]
  old.socket.write("GET / HTTP/1.0\r\n\r\n")
  current.socket.write("GET / HTTP/1.1\r\n\r\n")
  await eventually(() => expect(old.text()).toContain("served"))
  await eventually(() => expect(current.text()).toMatch(/^HTTP\/1.1 400 [^]*Host header/))
})
