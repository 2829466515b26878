import { readFile } from "node:fs/promises"
import { SourceMap } from "node:module"
import { relative } from "node:path"
import { fileURLToPath } from "node:url"

/** A processor profile as V8 writes it: call sites, and the one that each sample met. */
export interface CpuProfile {
  /** In µs, of `process.hrtime`. */
  readonly startTime: number
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[]
  readonly samples: readonly number[]
  /** In µs, since the sample before. */
  readonly timeDeltas: readonly number[]
}

/** Lines and columns count from 0. */
interface CallFrame {
  readonly functionName: string
  /** Empty for what is the engine's own. */
  readonly url: string
  readonly lineNumber: number
  readonly columnNumber: number
}

/** Time that the processor spent in a function, without those that it called. */
export interface SelfTime {
  readonly name: string
  /** File of the source, relative to the working directory; `node:…` for Node's own, empty for the engine's. */
  readonly file: string
  /** From 1; 0 where there is no file. */
  readonly line: number
  readonly ms: number
}

/** Every function that was met after `fromUs` (a time of `process.hrtime`), the one that took most first. */
export async function selfTimes(profile: CpuProfile, fromUs: number): Promise<readonly SelfTime[]> {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const times = new Map<string, { frame: CallFrame; ms: number }>()
  let atUs = profile.startTime
  for (const [at, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[at] ?? 0
    atUs += delta
    const frame = frames.get(id)
    if (atUs < fromUs || frame === undefined) continue
    const key = `${frame.functionName} ${frame.url}:${frame.lineNumber}:${frame.columnNumber}`
    const time = times.get(key) ?? { frame, ms: 0 }
    time.ms += delta / 1_000
    times.set(key, time)
  }
  const sorted = [...times.values()].toSorted((a, b) => b.ms - a.ms)
  const maps = new SourceMaps()
  return await Promise.all(
    sorted.map(async ({ frame, ms }) => ({
      name: frame.functionName || "(anonymous)",
      ...(await maps.place(frame)),
      ms,
    })),
  )
}

/** Finds the source of what was built. */
class SourceMaps {
  readonly #maps = new Map<string, Promise<SourceMap | null>>()

  async place({ url, lineNumber, columnNumber }: CallFrame): Promise<{ file: string; line: number }> {
    if (url === "") return { file: "", line: 0 }
    if (!url.startsWith("file:")) return { file: url, line: lineNumber + 1 }
    const file = fileURLToPath(url)
    const map = this.#maps.get(file) ?? readMap(`${file}.map`)
    this.#maps.set(file, map)
    const entry = (await map)?.findEntry(lineNumber, columnNumber)
    if (entry === undefined || !("originalSource" in entry))
      return { file: relative(process.cwd(), file), line: lineNumber + 1 }
    const source = fileURLToPath(new URL(entry.originalSource, url))
    return { file: relative(process.cwd(), source), line: entry.originalLine + 1 }
  }
}

async function readMap(file: string): Promise<SourceMap | null> {
  try {
    return new SourceMap(JSON.parse(await readFile(file, "utf8")))
  } catch (error) {
    // Most packages ship none; their built files are what there is to show.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null
    throw error
  }
}
