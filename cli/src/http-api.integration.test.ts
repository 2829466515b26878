import { parseCursor } from "@serialcast/contract"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type ReadEvent, readEvents } from "./testing/read-events.ts"
import { startTestAll, type TestAll, untilOffline } from "./testing/start-test-all.ts"

let running: TestAll
let device: string
beforeAll(async () => {
  running = await startTestAll()
  device = `${running.httpUrl}/api/v1/devices/local/pty`
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

const encode = (text: string) => new TextEncoder().encode(text)

/** Reads a stream until `isLast`; runs `whenOpen` after the first event. */
async function collect(
  url: string,
  isLast: (event: ReadEvent) => boolean,
  { headers = {}, whenOpen }: { headers?: Record<string, string>; whenOpen?: () => Promise<void> } = {},
): Promise<ReadEvent[]> {
  const leaving = new AbortController()
  const events: ReadEvent[] = []
  try {
    for await (const event of readEvents(url, { headers, signal: leaving.signal })) {
      if (events.length === 0) await whenOpen?.()
      events.push(event)
      if (isLast(event)) return events
    }
    throw new Error("the stream ended")
  } finally {
    leaving.abort()
  }
}

const isBytes = ({ event }: ReadEvent) => event === "bytes"

describe("devices", () => {
  test("are listed with their state", async () => {
    const { devices } = (await (await fetch(`${running.httpUrl}/api/v1/devices`)).json()) as {
      devices: unknown
    }
    expect(devices).toMatchObject([{ gateway: "local", device: "pty", online: true, port: running.pty.path }])
    expect(await (await fetch(device)).json()).toMatchObject({ device: "pty", online: true })
  })

  test.each(["nobody/there", "local/none", "__proto__/x", "LOCAL/PTY"])(
    "%s is unknown: 404",
    async (address) => {
      for (const path of ["", "/stream"]) {
        const response = await fetch(`${running.httpUrl}/api/v1/devices/${address}${path}`)
        expect(response.status).toBe(404)
        expect(response.headers.get("content-type")).toBe("application/problem+json")
        expect(await response.json()).toMatchObject({ code: "unknown_device", status: 404 })
      }
    },
  )
})

describe("a stream", () => {
  test("begins with the state and an id, and its ids are cursors after the bytes", async () => {
    const events = await collect(`${device}/stream`, isBytes, {
      whenOpen: () => running.pty.write(encode("hello")),
    })
    const [open, bytes] = events
    expect(open).toMatchObject({ event: "open" })
    expect(JSON.parse(open?.data ?? "")).toMatchObject({ cursor: open?.id, state: { online: true } })
    expect(bytes?.data).toBe("68656C6C6F")
    const [from, to] = [open, bytes].map((event) => parseCursor(event?.id ?? ""))
    expect((to?.offset ?? 0) - (from?.offset ?? 0)).toBe(5)
  })

  test("resumes by Last-Event-ID, which beats from, with nothing missing and nothing twice", async () => {
    const events = await collect(`${device}/stream`, isBytes, {
      whenOpen: () => running.pty.write(encode("first ")),
    })
    await running.pty.write(encode("missed"))
    const headers = { "Last-Event-ID": events.at(-1)?.id ?? "" }
    const [, resumed] = await collect(`${device}/stream?from=start&encoding=text`, isBytes, { headers })
    expect(resumed?.data).toBe('"missed"')
  })

  test("from=-N gives the last N bytes, from=start everything from the first mark on", async () => {
    const [, last] = await collect(`${device}/stream?from=-6&encoding=base64`, isBytes)
    expect(Buffer.from(last?.data ?? "", "base64").toString()).toBe("missed")
    const [, opened] = await collect(`${device}/stream?from=start`, isBytes)
    expect(opened).toMatchObject({ event: "mark" })
    expect(JSON.parse(opened?.data ?? "")).toMatchObject({ kind: "opened", open: 1 })
  })

  test("of the tx direction gives what was written", async () => {
    const events = await collect(`${device}/stream?stream=tx&encoding=text`, isBytes, {
      whenOpen: async () => void (await fetch(`${device}/write`, { method: "POST", body: "AT\r" })),
    })
    expect(events.at(-1)?.data).toBe('"AT\\r"')
    await running.pty.read(3)
  })

  // Well below the silence after which a reader would ask the journal: live bytes must come live.
  test("gets live bytes right after the last reader of the device has left", {
    timeout: 10_000,
  }, async () => {
    for (let round = 0; round < 5; round++) {
      const events = await collect(`${device}/stream`, isBytes, {
        whenOpen: () => running.pty.write(Uint8Array.of(round)),
      })
      expect(events.at(-1)?.data).toBe(`0${round}`)
    }
  })

  test("tells when the device goes away", async () => {
    await using other = await startTestAll()
    const url = `${other.httpUrl}/api/v1/devices/local/pty/stream`
    const events = await collect(url, ({ event }) => event === "state", {
      whenOpen: () => other.pty.unplug(),
    })
    expect(JSON.parse(events.at(-1)?.data ?? "")).toMatchObject({
      online: false,
      problem: { code: expect.any(String) },
    })
  })

  test.each([
    ["from=yesterday", "bad_cursor"],
    ["from=0000000000000000-99", undefined],
    ["encoding=morse", "bad_request"],
    ["stream=both", "bad_request"],
  ])("with %s is refused before it begins, or says what is missing", async (query, code) => {
    if (code === undefined) {
      const [, gap] = await collect(`${device}/stream?${query}`, ({ event }) => event === "gap")
      expect(JSON.parse(gap?.data ?? "")).toMatchObject({ bytes: null, reason: "evicted" })
      return
    }
    const response = await fetch(`${device}/stream?${query}`)
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, code])
  })

  test("from beyond the head is refused, in a header too, with the place that was asked for", async () => {
    const state = (await (await fetch(device)).json()) as { epoch: string }
    const place = `${state.epoch}-999999999`
    const headers = { "Last-Event-ID": place }
    for (const response of [
      await fetch(`${device}/stream?from=${place}`),
      await fetch(`${device}/stream`, { headers }),
      await fetch(`${device}/history?from=${place}`),
    ]) {
      const detail = expect.stringContaining(`${place} is beyond the head`) as string
      expect(await response.json()).toMatchObject({ status: 400, code: "bad_cursor", detail })
    }
  })
})

describe("a write", () => {
  const post = (body: RequestInit["body"], type?: string) =>
    fetch(`${device}/write`, {
      method: "POST",
      body: body ?? null,
      ...(type === undefined ? {} : { headers: { "Content-Type": type } }),
    })

  test("is answered by its receipt when the bytes are at the device", async () => {
    const response = await post('{"text":"AT","eol":"crlf"}', "application/json")
    expect(response.status).toBe(200)
    const { bytes, from, to, drainedUs } = (await response.json()) as Record<string, unknown>
    expect(bytes).toBe(4)
    expect((parseCursor(String(to))?.offset ?? 0) - (parseCursor(String(from))?.offset ?? 0)).toBe(4)
    expect(Math.abs(Number(drainedUs) / 1000 - Date.now())).toBeLessThan(60_000)
    expect(await running.pty.read(4)).toEqual(encode("AT\r\n"))
  })

  test("of all byte values goes through as it is", async () => {
    const all = Uint8Array.from({ length: 256 }, (_, value) => value)
    expect((await post(all)).status).toBe(200)
    expect(await running.pty.read(256)).toEqual(all)
  })

  test("that is malformed, too large, or without JSON in it changes nothing", async () => {
    const refusals = [
      [await post('{"hex":"4"}', "application/json"), 400, "bad_hex"],
      [await post("{", "application/json"), 400, "bad_request"],
      [await post(new Uint8Array(4 * 1024 * 1024 + 1)), 413, "too_large"],
      [await post(new Uint8Array(9 * 1024 * 1024)), 413, "too_large"],
    ] as const
    for (const [response, status, code] of refusals) {
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({ code })
    }
    // Whatever had reached the device would come before this.
    expect((await post("marker")).status).toBe(200)
    expect(await running.pty.read(6)).toEqual(encode("marker"))
  })

  test("to an offline device is refused with 503 and its reason", async () => {
    await using offline = await startTestAll()
    await offline.pty.unplug()
    await untilOffline(offline.all, "local/pty")
    const response = await fetch(`${offline.httpUrl}/api/v1/devices/local/pty/write`, {
      method: "POST",
      body: "x",
    })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: "device_offline" })
  })
})

test.each([
  ["DELETE", "", "GET, HEAD"],
  ["POST", "/stream", "GET"],
  ["HEAD", "/stream", "GET"],
  ["GET", "/write", "POST"],
])("%s on devices/local/pty%s is not allowed: 405 with Allow", async (method, path, allow) => {
  const response = await fetch(device + path, { method })
  expect(response.status).toBe(405)
  expect(response.headers.get("allow")).toBe(allow)
})

test("a page of another site can neither list, read nor write", async () => {
  const headers = { "Sec-Fetch-Site": "cross-site" }
  for (const [method, url] of [
    ["GET", `${running.httpUrl}/api/v1/devices`],
    ["GET", `${device}/stream`],
    ["POST", `${device}/write`],
  ] as const) {
    expect((await fetch(url, { method, headers })).status).toBe(403)
  }
})
