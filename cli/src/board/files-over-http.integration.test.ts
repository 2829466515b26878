import { once } from "node:events"
import { connect } from "node:net"
import { deviceAt } from "@serialcast/serial-agent"
import { countingBytes } from "@serialcast/testkit"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { startTestAll, type TestAll } from "../testing/start-test-all.ts"

let all: TestAll
let device: string

beforeAll(async () => {
  all = await startTestAll({}, { devices: { board: deviceAt("sim:micropython") } })
  device = `${all.httpUrl}/api/v1/devices/local/board`
})

afterAll(() => all[Symbol.asyncDispose]())

const put = (path: string, body: Uint8Array | string, headers: Record<string, string> = {}) =>
  fetch(`${device}/files/${path}`, { method: "PUT", body, headers })

describe("files over HTTP", () => {
  test("a file that is put is got, with its hash as tag", async () => {
    const bytes = countingBytes(7, 2_000)
    const stored = await put("data.bin", bytes)
    expect(stored.status).toBe(200)
    const tag = stored.headers.get("etag") ?? ""
    expect(tag).toMatch(/^"sha256-[0-9a-f]{64}"$/)
    const got = await fetch(`${device}/files/data.bin`)
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes)
    expect(got.headers.get("etag")).toBe(tag)
    expect(got.headers.get("content-length")).toBe("2000")
    const head = await fetch(`${device}/files/data.bin`, { method: "HEAD" })
    expect([head.status, head.headers.get("content-length"), head.headers.get("etag")]).toEqual([
      200,
      "2000",
      tag,
    ])
    const same = await fetch(`${device}/files/data.bin`, { headers: { "if-none-match": tag } })
    expect([same.status, await same.text()]).toEqual([304, ""])
  })

  test("a condition that does not hold changes nothing", async () => {
    await put("kept.txt", "old")
    const refused = await put("kept.txt", "new", { "if-none-match": "*" })
    expect(refused.status).toBe(412)
    expect(await refused.json()).toMatchObject({ code: "precondition_failed" })
    const stale = await put("kept.txt", "new", { "if-match": '"sha256-00"' })
    expect(stale.status).toBe(412)
    expect(await (await fetch(`${device}/files/kept.txt`)).text()).toBe("old")
  })

  test("folders are made, listed and removed with what is in them", async () => {
    expect((await put("lib/deep/", "")).status).toBe(204)
    await put("lib/deep/a%20b.py", "x = 1")
    const listed = await fetch(`${device}/files/lib/deep/`)
    expect(await listed.json()).toEqual({ entries: [{ name: "a b.py", kind: "file", size: 5 }] })
    expect((await fetch(`${device}/files/lib`, { method: "DELETE" })).status).toBe(409)
    expect((await fetch(`${device}/files/lib?recursive=true`, { method: "DELETE" })).status).toBe(204)
    expect((await fetch(`${device}/files/lib/deep/a%20b.py`)).status).toBe(404)
  })

  test("a body without a length is refused before the board is touched", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("x"))
        controller.close()
      },
    })
    // Node's fetch streams a body only when it is told so.
    const init: RequestInit & { duplex: "half" } = { method: "PUT", body, duplex: "half" }
    const refused = await fetch(`${device}/files/x`, init)
    expect([refused.status, await refused.json()]).toMatchObject([411, { code: "length_required" }])
  })

  test("a client that dies half-way is missed at once, however much of it is on its way, and the file is the old one", async () => {
    await put("half.txt", "old")
    const { hostname, port, pathname } = new URL(`${device}/files/half.txt`)
    const socket = connect(Number(port), hostname)
    socket.write(
      `PUT ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nExpect: 100-continue\r\nContent-Length: 1000001\r\n\r\n`,
    )
    await once(socket, "data")
    // At the speed of the board's port this takes a minute and a half.
    await new Promise((resolve) => socket.write(new Uint8Array(1_000_000), resolve))
    socket.destroy()
    const listed = (await (await fetch(`${device}/files/?all=true`)).json()) as {
      entries: { name: string; size: number }[]
    }
    expect(listed.entries.some(({ name }) => name.endsWith(".part"))).toBe(true)
    for (const { size } of listed.entries) expect(size).toBeLessThan(500_000)
    expect(await (await fetch(`${device}/files/`)).text()).not.toContain(".part")
    expect(await (await fetch(`${device}/files/half.txt`)).text()).toBe("old")
  })

  test("a board that is full says so, and has what it had before", async () => {
    await put("full.txt", "old")
    const room = await fetch(`${device}/run`, {
      method: "POST",
      body: "f=open('filler','wb')\ntry:\n while 1:f.write(bytes(4096))\nexcept OSError:f.close()",
    })
    expect(await room.json()).toEqual({ stdout: "", stderr: "" })
    const refused = await put("full.txt", new Uint8Array(10_000))
    expect([refused.status, await refused.json()]).toMatchObject([507, { code: "no_space" }])
    await fetch(`${device}/files/filler`, { method: "DELETE" })
    const listed = (await (await fetch(`${device}/files/?all=true`)).json()) as {
      entries: { name: string }[]
    }
    expect(listed.entries.filter(({ name }) => name.endsWith(".part"))).toHaveLength(1)
    expect(await (await fetch(`${device}/files/full.txt`)).text()).toBe("old")
  })

  test("code may end by sys.exit(), and the board goes on", async () => {
    const ran = await fetch(`${device}/run`, { method: "POST", body: "import sys\nprint('bye')\nsys.exit()" })
    expect(await ran.json()).toEqual({ stdout: "bye\r\n", stderr: "" })
    expect((await fetch(`${device}/files/`)).status).toBe(200)
  })

  test("code is run, with what it prints and its traceback apart", async () => {
    const ran = await fetch(`${device}/run`, { method: "POST", body: "print('hi')\nraise ValueError('no')" })
    const { stdout, stderr } = (await ran.json()) as { stdout: string; stderr: string }
    expect(stdout.trim()).toBe("hi")
    expect(stderr).toContain("ValueError: no")
    const endless = await fetch(`${device}/run?timeoutMs=500`, { method: "POST", body: "while True: pass" })
    expect([endless.status, await endless.json()]).toMatchObject([504, { code: "board_timeout" }])
    expect((await fetch(`${device}/files/`)).status).toBe(200)
  })

  test("what is said to the board and back stands in the stream, between marks that tell what it is for", async () => {
    await put("told.txt", "told")
    const lines = await fetch(`${device}/history?from=start`)
    expect(await lines.text()).toContain("raw REPL")
  })
})
