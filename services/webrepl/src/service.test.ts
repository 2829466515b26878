import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { AppError } from "@serialcast/contract"
import { closeServer, listen } from "@serialcast/service-kit"
import { createTemporaryFolder, eventually, seededRandom, type WebreplClient } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { getRequest, putRequest, versionRequest } from "./testing/file-requests.ts"
import { anySession, goodHead, mutate } from "./testing/mutations.ts"
import { createSilentDevice } from "./testing/silent-device.ts"
import { startTestService } from "./testing/start-test-service.ts"

const ok = Uint8Array.of(0x57, 0x42, 0, 0)
const counting = (size: number) => Uint8Array.from({ length: size }, (_, index) => (index * 7) & 0xff)

/** Logs in and asks for the version at once, as the command-line client does at each start. */
async function logInAsCommandLine(client: WebreplClient): Promise<Uint8Array> {
  await client.untilText("Password: ")
  client.sendBinary("secret\r")
  client.sendBinary(versionRequest())
  return await client.nextBinary()
}

async function putAsCommandLine(client: WebreplClient, name: string, file: Uint8Array): Promise<void> {
  const request = putRequest(name, file.byteLength)
  client.sendBinary(request.subarray(0, 10))
  client.sendBinary(request.subarray(10))
  expect(await client.nextBinary()).toEqual(ok)
  for (let at = 0; at < file.byteLength; at += 1_024) client.sendBinary(file.subarray(at, at + 1_024))
  expect(await client.nextBinary()).toEqual(ok)
}

async function get(client: WebreplClient, name: string): Promise<Uint8Array> {
  client.sendBinary(getRequest(name))
  expect(await client.nextBinary()).toEqual(ok)
  const chunks: Uint8Array[] = []
  for (;;) {
    client.sendBinary(Uint8Array.of(0))
    const [low = 0, high = 0, ...bytes] = await client.nextBinary()
    // The page wants both in one frame.
    expect(bytes.length).toBe((high << 8) | low)
    if (bytes.length === 0) break
    chunks.push(Uint8Array.from(bytes))
  }
  expect(await client.nextBinary()).toEqual(ok)
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))
}

test("a command-line client puts and gets a file, and learns the version once somebody had the board", async () => {
  const { connect: open, board } = await startTestService()
  const file = counting(20_000)
  const first = await open()
  expect(await logInAsCommandLine(first)).toEqual(Uint8Array.of(0, 0, 0))
  await putAsCommandLine(first, "main.py", file)
  expect(board.files.get("main.py")).toEqual(file)
  first.socket.end()
  await first.untilEnd()
  const second = await open()
  expect(await logInAsCommandLine(second)).toEqual(Uint8Array.of(1, 29, 3))
  expect(await get(second, "main.py")).toEqual(file)
  expect(board.uses).toEqual(["put main.py", "get main.py"])
})

test("a page puts a file, all of it at once behind the first response, and gets it again", async () => {
  const { connect: open, board } = await startTestService()
  const client = await open("page")
  client.type("secret\n")
  await client.untilText("WebREPL connected")
  const file = counting(100_000)
  client.sendBinary(putRequest("data.bin", file.byteLength))
  expect(await client.nextBinary()).toEqual(ok)
  for (let at = 0; at < file.byteLength; at += 1_024) client.sendBinary(file.subarray(at, at + 1_024))
  // Keys between the frames of a file are no part of it, and hold nothing up.
  client.type("x")
  expect(await client.nextBinary()).toEqual(ok)
  expect(board.files.get("data.bin")).toEqual(file)
  expect(await get(client, "data.bin")).toEqual(file)
})

test("what fails is told by text and by the code, where each of the two clients looks", async () => {
  const { connect: open } = await startTestService()
  const commandLine = await open()
  await logInAsCommandLine(commandLine)
  commandLine.sendBinary(getRequest("nothing.py"))
  expect(await commandLine.nextBinary()).toEqual(Uint8Array.of(0x57, 0x42, 22, 0))
  await commandLine.untilText("get nothing.py failed. There is no file nothing.py on the board.")
  commandLine.socket.end()
  await commandLine.untilEnd()
  const page = await open("page")
  page.type("secret\n")
  await page.untilText("WebREPL connected")
  page.sendBinary(getRequest("nothing.py"))
  expect(await page.nextBinary()).toEqual(ok)
  page.sendBinary(Uint8Array.of(0))
  expect(await page.nextBinary()).toEqual(Uint8Array.of(0, 0))
  expect(await page.nextBinary()).toEqual(Uint8Array.of(0x57, 0x42, 22, 0))
})

test("a client that is killed in the middle of a put frees its place, and the file that was there stays", async () => {
  const { connect: open, board, state } = await startTestService()
  board.files.set("main.py", counting(5))
  const client = await open()
  await logInAsCommandLine(client)
  client.sendBinary(putRequest("main.py", 50_000))
  expect(await client.nextBinary()).toEqual(ok)
  client.sendBinary(counting(1_000))
  client.socket.resetAndDestroy()
  await eventually(() => expect(state().clients).toEqual([]))
  expect(board.files.get("main.py")).toEqual(counting(5))
  const next = await open()
  await logInAsCommandLine(next)
})

test("a watcher gets no files", async () => {
  const { connect: open } = await startTestService({ watchers: 1 })
  await logInAsCommandLine(await open())
  const watcher = await open()
  await logInAsCommandLine(watcher)
  watcher.sendBinary(getRequest("boot.py"))
  expect(await watcher.nextBinary()).toEqual(Uint8Array.of(0x57, 0x42, 16, 0))
})

test("a stop does not wait for answers to what was typed", async () => {
  const { devices, untilWritten } = createSilentDevice()
  const { service, connect: open } = await startTestService({}, { devices })
  const client = await open()
  await logInAsCommandLine(client)
  client.sendText("x")
  await untilWritten()
  await service.stop()
  expect(client.text).toContain("the service stops")
})

test("a visitor that has ended its side gets its file whole", async () => {
  using folder = createTemporaryFolder()
  mkdirSync(`${folder.path}/assets`)
  // More than the system keeps of a connection.
  const size = 32 * 1024 * 1024
  writeFileSync(`${folder.path}/assets/big.js`, new Uint8Array(size))
  const { endpoint } = await startTestService({}, { pageDir: folder.path })
  const socket = connect({ port: Number(endpoint.split(":")[1]), host: "127.0.0.1", allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  socket.end("GET /assets/big.js HTTP/1.1\r\n\r\n")
  let got = 0
  for await (const bytes of socket as AsyncIterable<Uint8Array>) got += bytes.byteLength
  expect(got).toBeGreaterThan(size)
})

test("clients come through TLS with a certificate", async () => {
  using folder = createTemporaryFolder()
  const [cert, key] = [`${folder.path}/cert.pem`, `${folder.path}/key.pem`]
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  })
  const {
    connect: open,
    board,
    state,
  } = await startTestService({ tls: { cert, key } }, { ca: readFileSync(cert, "utf8") })
  expect(state().isSecure).toBe(true)
  const client = await open("page")
  client.type("secret\n")
  await client.untilText("WebREPL connected")
  await putAsCommandLine(client, "main.py", counting(3_000))
  expect(board.files.get("main.py")).toEqual(counting(3_000))
  client.socket.end()
  await client.untilEnd()
})

test.each([
  [
    "an empty file",
    "",
    /webrepl\.0\.password: expected a password of 1 to 256 bytes on one line, found nothing/,
  ],
  ["two lines", "one\ntwo\n", /found several lines/],
  ["more than a password may have", "x".repeat(257), /found 257 bytes/],
])("%s is no password: the service does not start", async (_what, text, message) => {
  using folder = createTemporaryFolder()
  const file = `${folder.path}/password`
  writeFileSync(file, text)
  const starting = startTestService({ password: { file } })
  await expect(starting).rejects.toThrow(message)
  await expect(starting).rejects.toBeInstanceOf(AppError)
})

test("a password file may end with a line end, and a missing one is said", async () => {
  using folder = createTemporaryFolder()
  const file = `${folder.path}/password`
  await expect(startTestService({ password: { file } })).rejects.toThrow(
    `webrepl.0.password.file: ${file} does not exist.`,
  )
  writeFileSync(file, "secret\r\n")
  const { connect: open } = await startTestService({ password: { file } })
  await logInAsCommandLine(await open())
})

test("a listener whose port is taken is said", async () => {
  const taken = createServer()
  const address = await listen(taken, { host: "127.0.0.1", port: 0 }, "test")
  onTestFinished(() => closeServer(taken))
  await expect(startTestService({ listen: address })).rejects.toMatchObject({ code: "listen_failed" })
})

test("the metrics tell of each board", async () => {
  const { connect: open, metrics, endpoint } = await startTestService()
  await logInAsCommandLine(await open())
  const text = await metrics.metrics()
  expect(text).toContain(`serialcast_webrepl_clients{endpoint="${endpoint}",device="local/uno"} 1`)
  expect(text).toContain(`serialcast_webrepl_logins_total{endpoint="${endpoint}",device="local/uno"} 1`)
  expect(text).toContain(`serialcast_webrepl_up{endpoint="${endpoint}",device="local/uno"} 0`)
})

test("2,000 broken clients end no process, hold no place and leave nothing behind", async () => {
  const { connect: open, state, endpoint } = await startTestService()
  const random = seededRandom()
  const port = Number(endpoint.split(":")[1])
  const head = Uint8Array.from(Buffer.from(goodHead, "latin1"))
  const attack = async () => {
    const socket = connect({ host: "127.0.0.1", port })
    socket.on("error", () => {})
    socket.resume()
    await once(socket, "connect").catch(() => {})
    const isUpgraded = random.next() < 0.8
    socket.write(isUpgraded ? head : mutate(head, random))
    // Some know the password.
    if (isUpgraded && random.next() < 0.5) socket.write(Uint8Array.of(0x82, 7, ...Buffer.from("secret\r")))
    socket.write(mutate(anySession(random), random))
    if (random.next() < 0.5) socket.end()
    else socket.resetAndDestroy()
    if (!socket.closed) await once(socket, "close").catch(() => {})
  }
  for (let round = 0; round < 100; round++) await Promise.all(Array.from({ length: 20 }, attack))
  await eventually(() => expect(state().clients, `seed ${random.seed}`).toEqual([]))
  // The place is free; the guesses of this address have run out.
  const client = await open()
  await client.untilText("Password: ")
})
