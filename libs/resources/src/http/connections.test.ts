import { createDeferred } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { connectRaw } from "../testing/raw-client.ts"
import { startTestServer } from "../testing/test-server.ts"

const request = (line: string, header = "X: y", body = "") =>
  `${line} HTTP/1.1\r\nHost: localhost\r\n${header}\r\nContent-Length: ${body.length}\r\n\r\n${body}`

test("answers without a body leave nothing behind: 204 and 304 are followed by the next answer", async () => {
  const { connect, store } = await startTestServer()
  const client = await connect()
  const put = await client.ask(request("PUT /a", "X: y", "21.5"))
  expect([put.status, put.headers.has("content-length"), put.headers.get("etag")]).toEqual([
    204,
    false,
    `"${store.get("/a")?.etag}"`,
  ])
  const same = await client.ask(request("GET /a", `If-None-Match: ${put.headers.get("etag")}`))
  expect([same.status, same.headers.has("content-length")]).toEqual([304, false])
  expect((await client.ask(request("HEAD /a"))).headers.get("content-length")).toBe("4")
  expect((await client.ask(request("OPTIONS /a"))).status).toBe(204)
  expect((await client.ask(request("GET /a"))).body).toBe("21.5")
  expect((await client.ask(request("DELETE /a"))).status).toBe(204)
  expect((await client.ask(request("GET /a"))).status).toBe(404)
  expect(client.text).toBe("")
})

test("requests that come at once are done in their order, also when the store takes its time", async () => {
  const puts: ReturnType<typeof createDeferred<void>>[] = []
  const { connect } = await startTestServer({
    wrap: (store) => ({
      ...store,
      size: 0,
      async apply(change) {
        const put = createDeferred<void>()
        puts.push(put)
        await put.promise
        return store.applyNow(change)
      },
    }),
  })
  const client = await connect()
  client.send(
    request("PUT /a", "X: y", "1") + request("GET /a") + request("PUT /a", "X: y", "2") + request("GET /a"),
  )
  const other = await connect()
  expect((await other.ask(request("GET /a"))).body).toBe("0")
  await eventually(() => expect(puts).toHaveLength(1))
  puts[0]?.resolve()
  expect([(await client.answer()).status, (await client.answer()).body]).toEqual([204, "1"])
  await eventually(() => expect(puts).toHaveLength(2))
  puts[1]?.resolve()
  expect([(await client.answer()).status, (await client.answer()).body]).toEqual([204, "2"])
})

test("a client that has too many requests waiting is cut off, and none of them is done", async () => {
  const first = createDeferred<void>()
  const applied: string[] = []
  const { connect, errors } = await startTestServer({
    wrap: (store) => ({
      ...store,
      size: 0,
      async apply(change) {
        applied.push(change.kind)
        await first.promise
        return store.applyNow(change)
      },
    }),
  })
  const client = await connect()
  client.send(request("PUT /a", "X: y", "1") + request("POST /a", "X: y", "2").repeat(1_000))
  await client.closed
  first.resolve()
  const other = await connect()
  expect((await other.ask(request("GET /a"))).status).toBe(200)
  expect([applied, errors]).toEqual([["put"], []])
})

test("what a client that is gone had asked for last is told as what became of it", async () => {
  const [begun, goOn] = [createDeferred<void>(), createDeferred<void>()]
  let wasAborted = false
  const { connect, events, errors } = await startTestServer({
    wrap: (store) => ({
      ...store,
      size: 0,
      async apply(change, signal) {
        signal?.addEventListener("abort", () => (wasAborted = true))
        begun.resolve()
        await goOn.promise
        return store.applyNow(change)
      },
    }),
  })
  const client = await connect()
  client.send(request("PUT /a", "X: y", "1"))
  await begun.promise
  client.socket.destroy()
  await eventually(() => expect(wasAborted).toBe(true))
  goOn.resolve()
  await eventually(() => expect(events.map(({ status }) => status)).toEqual([204]))
  expect(errors).toEqual([])
})

test("a change that ends because its client is gone is no fault, and is told to nobody", async () => {
  const [begun, ended] = [createDeferred<void>(), createDeferred<void>()]
  const { connect, events, errors } = await startTestServer({
    wrap: (store) => ({
      ...store,
      size: 0,
      async apply(_change, signal) {
        const aborted = createDeferred<void>()
        signal?.addEventListener("abort", () => aborted.resolve())
        begun.resolve()
        await aborted.promise
        ended.resolve()
        throw signal?.reason
      },
    }),
  })
  const client = await connect()
  client.send(request("PUT /a", "X: y", "1"))
  await begun.promise
  client.socket.destroy()
  await ended.promise
  const other = await connect()
  expect((await other.ask(request("GET /a"))).status).toBe(200)
  await eventually(() => expect(events.map(({ method }) => method)).toEqual(["GET"]))
  expect(errors).toEqual([])
})

test("what is no HTTP behind a request is answered once, after that request", async () => {
  const goOn = createDeferred<void>()
  const { connect, sockets } = await startTestServer({
    wrap: (store) => ({
      ...store,
      size: 0,
      apply: (change) => goOn.promise.then(() => store.applyNow(change)),
    }),
  })
  const client = await connect()
  client.send(`${request("PUT /a", "X: y", "1")}no HTTP`)
  client.send("no HTTP either")
  await eventually(() => expect(sockets[0]?.bytesRead).toBe(client.socket.bytesWritten))
  goOn.resolve()
  expect([(await client.answer()).status, (await client.answer()).status]).toEqual([204, 400])
  await client.closed
  expect(client.text).toBe("")
})

test("however many pieces of no HTTP come behind a request, they are one thing that is wrong", async () => {
  const warnings: Error[] = []
  const warn = (warning: Error) => void warnings.push(warning)
  process.on("warning", warn)
  onTestFinished(() => void process.off("warning", warn))
  const goOn = createDeferred<void>()
  const { connect, sockets } = await startTestServer({
    wrap: (store) => ({
      ...store,
      size: 0,
      apply: (change) => goOn.promise.then(() => store.applyNow(change)),
    }),
  })
  const client = await connect()
  client.send(request("PUT /a", "X: y", "1"))
  for (let pieces = 0; pieces < 20; pieces++) {
    client.send("no HTTP")
    await eventually(() => expect(sockets[0]?.bytesRead).toBe(client.socket.bytesWritten), { intervalMs: 1 })
  }
  goOn.resolve()
  expect([(await client.answer()).status, (await client.answer()).status]).toEqual([204, 400])
  expect(warnings).toEqual([])
})

test("who was told what is wrong with its bytes and does not end is cut off", async () => {
  const { port, sockets } = await startTestServer()
  const client = await connectRaw(port, { allowHalfOpen: true })
  expect((await client.ask("no HTTP\r\n\r\n")).status).toBe(400)
  await eventually(() => expect(sockets[0]?.destroyed).toBe(true))
})

test("HTTP/1.0 is answered too, and whoever asks for another protocol gets this one", async () => {
  const { connect } = await startTestServer()
  const old = await connect()
  expect((await old.ask("GET /a HTTP/1.0\r\n\r\n")).body).toBe("0")
  await old.closed
  const client = await connect()
  const upgrade = request("GET /a", "Connection: Upgrade\r\nUpgrade: websocket")
  expect((await client.ask(upgrade)).status).toBe(200)
})

test("a page of HTML is text, until that is allowed, and then a stranger to its origin", async () => {
  const page = request("PUT /a", "Content-Type: text/html; charset=utf-8", "<script>alert(1)</script>")
  for (const allowHtml of [false, true]) {
    const { connect, store } = await startTestServer({ allowHtml })
    const client = await connect()
    expect((await client.ask(page)).status).toBe(204)
    expect(store.get("/a")?.contentType).toBe("text/html; charset=utf-8")
    // Whoever asks for HTML gets what is in it.
    const { status, headers, body } = await client.ask(request("GET /a", "Accept: text/html"))
    expect([status, headers.get("content-type"), body]).toEqual([
      200,
      allowHtml ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
      "<script>alert(1)</script>",
    ])
    expect(headers.get("content-security-policy")).toMatch(/^sandbox(?!.*allow-same-origin)/)
    expect([headers.get("x-content-type-options"), headers.get("cache-control")]).toEqual([
      "nosniff",
      "no-store",
    ])
  }
})

test("a child is had at its Location, below the base path too, with its parent's type where it has none", async () => {
  const { connect, events } = await startTestServer({ basePath: "/r" })
  const client = await connect()
  const made = await client.ask(request("POST /r/a", "X: y", "1"))
  const location = made.headers.get("location") ?? ""
  expect(location).toMatch(/^\/r\/a\/\d{5}$/)
  const child = await client.ask(request(`GET ${location}`))
  expect([child.headers.get("content-type"), child.body, child.headers.get("etag")]).toEqual([
    "text/plain",
    "1",
    made.headers.get("etag"),
  ])
  expect((await client.ask(request("PUT /r/a", "X: y", "1"))).headers.get("content-location")).toBe("/r/a")
  expect((await client.ask(request("GET /a"))).status).toBe(404)
  expect(events[0]).toMatchObject({ uri: "/a", newUri: location.slice(2), method: "POST", status: 201 })
})

test("only who met a resource and a method of it is told of, with headers as they came", async () => {
  const { connect, events } = await startTestServer()
  for (const line of ["GET /b", "PATCH /a", "BREW /a", "OPTIONS /a", "GET /a/"]) {
    const other = await connect()
    await other.ask(request(line))
  }
  const client = await connect()
  await client.ask(request("GET /a", "X-Name: 1\r\nx-name: 2\r\n__proto__: 3\r\nAccept: text/html"))
  await eventually(() => expect(events).toHaveLength(1))
  const [event] = events
  expect(event).toMatchObject({ uri: "/a", method: "GET", status: 406, newUri: "" })
  expect(Object.entries(event?.headers ?? {})).toEqual(
    expect.arrayContaining([
      ["X-Name", "1"],
      ["x-name", "2"],
      ["__proto__", "3"],
    ]),
  )
})

test("a check or a listener that throws ends nothing", async () => {
  const failure = new Error("broken")
  const fail = () => {
    throw failure
  }
  const { connect, errors } = await startTestServer({ onRequest: fail })
  const client = await connect()
  expect((await client.ask(request("GET /a"))).status).toBe(200)
  expect((await client.ask(request("GET /a"))).status).toBe(200)
  await eventually(() => expect(errors).toEqual([failure, failure]))
  const checked = await startTestServer({ check: fail })
  expect((await (await checked.connect()).ask(request("GET /a"))).status).toBe(500)
  expect(checked.errors).toEqual([failure])
})

test.each([
  ["/a%2Fb", 400],
  ["/a/../a", 400],
  ["/a/%2e%2e", 400],
  ["/a%00", 400],
  ["/a/", 400],
  ["/a#b", 400],
  ["/a%zz", 400],
  [`/${"a".repeat(10_000)}`, 414],
  ["/a+b", 404],
  ["/a%23", 404],
])("nothing is put or made at %.20s: %i", async (target, status) => {
  const { connect, store, events } = await startTestServer()
  const before = store.list()
  for (const method of ["GET", "PUT", "POST", "DELETE"]) {
    const client = await connect()
    expect((await client.ask(request(`${method} ${target}`, "X: y", "1"))).status).toBe(status)
  }
  expect([store.list(), events]).toEqual([before, []])
})

test("a tree goes as a whole by recursive=1, and its parent alone without", async () => {
  const { connect, store } = await startTestServer()
  const client = await connect()
  await client.ask(request("POST /a", "X: y", "1"))
  const [, child] = store.list()
  expect((await client.ask(request("DELETE /a"))).status).toBe(204)
  expect(store.list()).toEqual([child])
  const second = await startTestServer()
  const other = await second.connect()
  await other.ask(request("POST /a", "X: y", "1"))
  expect((await other.ask(request("DELETE /a?recursive=1"))).status).toBe(204)
  expect(second.store.list()).toEqual([])
})
