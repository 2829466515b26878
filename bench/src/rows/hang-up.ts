import { nowNs } from "../rig/process-usage.ts"
import type { Row } from "../row.ts"

const timeoutMs = 10_000

/** How soon a device that went away is seen to be away. */
export const hangUp: Row = {
  name: "hang-up",
  what: "a terminal that the kernel hangs up (vhangup, as at an unplug), until an event stream has the mark",
  figures: [{ name: "noticed after", unit: "ms", isBetter: "lower" }],
  async run(rig) {
    await using load = await rig.startLoad()
    const device = await load.openDevice()
    await using gateway = await rig.startGateway({ ports: [device.path] })
    const url = `${gateway.httpUrl}${gateway.events(0).target}`
    const { body } = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    if (body === null) throw new Error(`${url} answered no stream`)
    const events = body.pipeThrough(new TextDecoderStream()).getReader()
    await readUntil(events, "event: open")
    const { atNs } = await device.hangUp()
    await readUntil(events, '"kind":"closed"')
    return { "noticed after": (nowNs() - atNs) / 1e6 }
  },
}

async function readUntil(events: ReadableStreamDefaultReader<string>, wanted: string): Promise<void> {
  let text = ""
  while (!text.includes(wanted)) {
    const { done, value } = await events.read()
    if (done) throw new Error(`expected ${wanted} before the end, found ${text}`)
    text += value
  }
}
