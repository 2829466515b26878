import { concatBytes } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { defaultStaticHost, httpAnswer, redirectAnswer, upgradeAnswer } from "./answers.ts"
import { type HeadProgress, HeadReader, maxHeadBytes } from "./head-reader.ts"
import { judgeHead } from "./judge-head.ts"

const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"))
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")

const ofCommandLine =
  "GET / HTTP/1.1\r\nHost: echo.websocket.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: foo\r\n\r\n"

function judge(head: string) {
  const progress = new HeadReader().push(latin1(head))
  if (progress.kind !== "head") throw new Error(progress.kind)
  return judgeHead(progress.lines)
}

test("the answer to the key of the command-line client, byte for byte", () => {
  expect(textOf(upgradeAnswer("foo"))).toBe(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: BM0S0+ghftShuFVHQATK/DBiJq8=\r\n\r\n",
  )
})

test("the answer to the key of RFC 6455 §1.3", () => {
  expect(textOf(upgradeAnswer("dGhlIHNhbXBsZSBub25jZQ=="))).toContain(
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
  )
})

test("the document that leads to the page elsewhere, byte for byte", () => {
  expect(textOf(redirectAnswer(defaultStaticHost))).toBe(
    'HTTP/1.0 200 OK\r\n\r\n<base href="https://micropython.org/webrepl/"></base>\r\n<script src="webrepl_content.js"></script>\r\n',
  )
})

test("an answer to HEAD has the length of what it leaves out", () => {
  const answer = { status: "200 OK", headers: { "Content-Type": "text/plain" }, body: latin1("hello") }
  expect(textOf(httpAnswer(answer, "GET"))).toBe(
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
  )
  expect(textOf(httpAnswer(answer, "HEAD"))).toMatch(/Content-Length: 5\r\nConnection: close\r\n\r\n$/)
})

test("a head that is cut anywhere is the same head, and what follows it is left over", () => {
  const whole = latin1(`${ofCommandLine}\x82\x02hi`)
  for (let cut = 0; cut <= whole.byteLength; cut++) {
    const reader = new HeadReader()
    let rest = whole.subarray(cut)
    let progress: HeadProgress = reader.push(whole.subarray(0, cut))
    if (progress.kind === "more") {
      progress = reader.push(rest)
      rest = new Uint8Array(0)
    }
    if (progress.kind !== "head") throw new Error(`cut at ${cut}: ${progress.kind}`)
    expect(judgeHead(progress.lines).webSocketKey).toBe("foo")
    expect(textOf(concatBytes([progress.rest, rest]))).toBe("\x82\x02hi")
  }
})

test("a head byte by byte is read at its last byte", () => {
  const reader = new HeadReader()
  const kinds = Array.from(latin1(ofCommandLine), (byte) => reader.push(Uint8Array.of(byte)).kind)
  expect(kinds.indexOf("head")).toBe(ofCommandLine.length - 1)
})

test("a head without an end is refused when it is too long, however it is cut", () => {
  for (const filler of [`${"x".repeat(maxHeadBytes)}`, "a: b\r\n".repeat(maxHeadBytes / 6 + 1)]) {
    const reader = new HeadReader()
    let progress: HeadProgress = { kind: "more" }
    for (let at = 0; at < filler.length && progress.kind === "more"; at += 997)
      progress = reader.push(latin1(filler.slice(at, at + 997)))
    expect(progress.kind).toBe("too-large")
  }
})

test.each([
  [
    "any order, other headers, several words",
    "Upgrade: websocket\r\nX: y\r\nSec-WebSocket-Key: k\r\nConnection: keep-alive, Upgrade",
    "k",
  ],
  ["spaces around", "Upgrade :  websocket \r\nSec-WebSocket-Key:\tk \r\nConnection:Upgrade", "k"],
  [
    "no value is read as Base64",
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a b:c",
    "a b:c",
  ],
  [
    "a line without a colon",
    "nonsense\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: k",
    "k",
  ],
  ["lower-case names", "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-key: k", null],
  ["a value in upper case", "Upgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: k", null],
  ["`upgrade` in lower case", "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: k", null],
  ["no key", "Upgrade: websocket\r\nConnection: Upgrade", null],
  ["an empty key", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key:", null],
  ["another protocol", "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Key: k", null],
  ["no header at all", "", null],
])("who upgrades: %s", (_what, headers, key) => {
  const lines = headers === "" ? "" : `${headers}\r\n`
  expect(judge(`GET /any/path?x HTTP/1.1\r\n${lines}\r\n`)).toMatchObject({
    method: "GET",
    path: "/any/path",
    webSocketKey: key,
  })
})

test("lines may end in LF alone, and the request line may be empty", () => {
  const head = "\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: k\n\n"
  expect(judge(head)).toMatchObject({ method: "", path: "", webSocketKey: "k" })
})

test("a browser's page is told from a program by its origin", () => {
  expect(judge("GET / HTTP/1.1\r\nOrigin: http://micropython.org\r\n\r\n").hasOrigin).toBe(true)
  expect(judge(ofCommandLine).hasOrigin).toBe(false)
})
