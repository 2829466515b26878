import { createInterface } from "node:readline"
import { Readable } from "node:stream"

const timeoutMs = 5_000

/** The states of DTR and RTS that the journal of a device tells, oldest first, until `count` have come or none comes. */
export async function readLinesMarks(deviceUrl: string, count: number): Promise<readonly string[]> {
  const found: string[] = []
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    await readInto(found, { deviceUrl, count, signal })
  } catch (error) {
    // What came until then says more.
    if (!signal.aborted) throw error
  }
  return found
}

async function readInto(
  found: string[],
  { deviceUrl, count, signal }: { deviceUrl: string; count: number; signal: AbortSignal },
): Promise<void> {
  const response = await fetch(`${deviceUrl}/stream?from=start`, { signal })
  if (response.body === null) throw new Error(`${deviceUrl}: expected a stream, found ${response.status}.`)
  for await (const line of createInterface(Readable.fromWeb(response.body))) {
    const mark: { kind?: string; lines?: { dtr: boolean; rts: boolean } } = line.startsWith("data: {")
      ? JSON.parse(line.slice("data: ".length))
      : {}
    if (mark.kind === "lines" && mark.lines !== undefined)
      found.push(`D${Number(mark.lines.dtr)}R${Number(mark.lines.rts)}`)
    if (found.length >= count) return
  }
}
