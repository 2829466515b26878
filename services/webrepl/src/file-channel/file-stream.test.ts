import { concatBytes } from "@serialcast/primitives"
import { expect, test } from "vitest"
import {
  getRequest,
  listRequest,
  putRequest,
  removeRequest,
  request,
  versionRequest,
} from "../testing/file-requests.ts"
import { fileChunk, fileResponse, versionResponse } from "./file-responses.ts"
import { FileStream } from "./file-stream.ts"

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"))

/** Pulls all there is; a file that is got has `pieces`. */
function pullAll(stream: FileStream, pieces = 2): string[] {
  const told: string[] = []
  let wanted = 0
  for (;;) {
    const input = stream.pull()
    if (input === null) return told
    if (input.kind === "content") {
      const text = Buffer.from(input.bytes).toString("latin1")
      if (told.at(-1)?.startsWith("content")) told[told.length - 1] += text
      else told.push(`content ${text}`)
    } else if (input.kind === "wanted") {
      told.push("wanted")
      if (++wanted === pieces) stream.endGet()
    } else told.push(JSON.stringify(input.request))
  }
}

const session = concatBytes([
  versionRequest(),
  putRequest("main.py", 5),
  bytes("hello"),
  putRequest("empty.txt", 0),
  getRequest("lib/x.py"),
  bytes("\0\xff"),
  request({ type: 9, name: "what" }),
  getRequest("boot.py"),
])
const told = [
  '{"kind":"version","asksExtensions":false}',
  '{"kind":"put","name":"main.py","size":5}',
  "content hello",
  '{"kind":"put","name":"empty.txt","size":0}',
  '{"kind":"get","name":"lib/x.py"}',
  "wanted",
  "wanted",
  '{"kind":"unknown","type":9}',
  '{"kind":"get","name":"boot.py"}',
]

test("pipelined requests are read one after the other, wherever the bytes are cut", () => {
  for (let cut = 0; cut <= session.byteLength; cut++) {
    const stream = new FileStream()
    stream.push(session.subarray(0, cut))
    const first = pullAll(stream)
    stream.push(session.subarray(cut))
    const second = pullAll(
      stream,
      first.includes("wanted") ? 2 - first.filter((one) => one === "wanted").length : 2,
    )
    const [last = "", ...others] = first.toReversed()
    const [next = "", ...later] = second
    // The content is told in two pieces when the cut is in it.
    const isInContent = last.startsWith("content ") && next.startsWith("content ")
    const all = isInContent
      ? [...others.toReversed(), last + next.slice("content ".length), ...later]
      : [...first, ...second]
    expect(all).toEqual(told)
  }
})

test("a session byte by byte says the same", () => {
  const stream = new FileStream()
  const all = Array.from(session, (byte) => {
    stream.push(Uint8Array.of(byte))
    return stream.pull()
  })
  expect(all.filter((input) => input?.kind === "content").length).toBe(5)
  expect(all.filter((input) => input?.kind === "request").length).toBe(4)
})

test("signature, flags, offset and name length do not count; the name ends at NUL or fills its field", () => {
  const odd = request({ type: 2, name: "boot.py" })
  odd.set(bytes("XY"), 0)
  odd.fill(0xee, 3, 12)
  odd.fill(0xee, 16, 18)
  odd.fill(0x61, 18 + 8)
  const stream = new FileStream()
  stream.push(odd)
  expect(stream.pull()).toEqual({ kind: "request", request: { kind: "get", name: "boot.py" } })
  stream.endGet()
  stream.push(getRequest("n".repeat(64)))
  expect(stream.pull()).toEqual({ kind: "request", request: { kind: "get", name: "n".repeat(64) } })
})

test("a name is UTF-8, and of one that is none each byte is a character, as the page cuts them", () => {
  const stream = new FileStream()
  const cut = getRequest("x.txt")
  cut.set([0xe9], 18)
  stream.push(getRequest("é€.txt"))
  expect(stream.pull()).toMatchObject({ request: { name: "é€.txt" } })
  stream.endGet()
  stream.push(cut)
  expect(stream.pull()).toMatchObject({ request: { name: "é.txt" } })
})

test("a list is pulled as a get is, wish by wish, and a remove is a request alone", () => {
  const stream = new FileStream()
  stream.push(concatBytes([listRequest("/lib"), bytes("\0\0"), removeRequest("/lib/x.py"), listRequest("")]))
  expect(stream.pull()).toEqual({ kind: "request", request: { kind: "list", name: "/lib" } })
  expect(stream.pull()).toEqual({ kind: "wanted" })
  expect(stream.pull()).toEqual({ kind: "wanted" })
  stream.endGet()
  expect(stream.pull()).toEqual({ kind: "request", request: { kind: "remove", name: "/lib/x.py" } })
  expect(stream.pull()).toEqual({ kind: "request", request: { kind: "list", name: "" } })
})

test("the version's first flag alone asks for the extensions", () => {
  const stream = new FileStream()
  for (const [flags, asksExtensions] of [
    [0x00, false],
    [0x01, true],
    [0xfe, false],
    [0xff, true],
  ] as const) {
    stream.push(request({ type: 3, flags }))
    expect(stream.pull()).toEqual({ kind: "request", request: { kind: "version", asksExtensions } })
  }
})

test("the largest size is read whole, and a refused put has no content", () => {
  const stream = new FileStream()
  stream.push(putRequest("big", 0xffff_ffff))
  expect(stream.pull()).toMatchObject({ request: { size: 0xffff_ffff } })
  expect(stream.contentLeft).toBe(0xffff_ffff)
  stream.refusePut()
  stream.push(versionRequest())
  expect(stream.pull()).toEqual({ kind: "request", request: { kind: "version", asksExtensions: false } })
})

test("the responses, byte for byte", () => {
  expect(fileResponse(0)).toEqual(Uint8Array.of(0x57, 0x42, 0, 0))
  expect(fileResponse(0x0102)).toEqual(Uint8Array.of(0x57, 0x42, 0x02, 0x01))
  expect(fileChunk(bytes("abc"))).toEqual(Uint8Array.of(3, 0, 0x61, 0x62, 0x63))
  expect(fileChunk(new Uint8Array(256)).subarray(0, 3)).toEqual(Uint8Array.of(0, 1, 0))
  expect(fileChunk(new Uint8Array(0))).toEqual(Uint8Array.of(0, 0))
  expect(versionResponse([1, 29, 0], false)).toEqual(Uint8Array.of(1, 29, 0))
  expect(versionResponse([1, 29, 0], true)).toEqual(Uint8Array.of(1, 29, 0, 1))
})
