import { delay, systemClock } from "@serialcast/primitives"
import { openPty } from "@serialcast/testkit"
import { numberedLines } from "./numbered-lines.ts"

const everyMs = 10

/** A device that sends numbered lines at a steady pace until it is told to stop, and loses none while nobody reads. */
export interface NumberedDevice extends AsyncDisposable {
  readonly path: string
  /** Stops sending; resolves with how many lines the kernel took. */
  stop(): Promise<number>
}

export async function startNumberedDevice(linesPerSecond: number): Promise<NumberedDevice> {
  const pty = await openPty()
  const stopping = new AbortController()
  const perStep = Math.round((linesPerSecond * everyMs) / 1000)
  const sending = (async () => {
    let sent = 0
    for (; !stopping.signal.aborted; sent += perStep) {
      await pty.write(numberedLines(sent, perStep), { timeoutMs: 60_000 })
      await delay(systemClock, everyMs, stopping.signal)
    }
    return sent
  })()
  return {
    path: pty.path,
    async stop() {
      stopping.abort()
      return await sending
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await pty.unplug()
      await sending.catch(() => {})
    },
  }
}
