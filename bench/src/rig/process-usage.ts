import { readFile } from "node:fs/promises"

/** Linux's unit of processor time in /proc, on every machine that Node runs on (USER_HZ). */
const tickSeconds = 0.01

/** What a process has used since its start, all its threads together. */
export interface ProcessUsage {
  /** Of `process.hrtime`. */
  readonly atNs: number
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** What it made the kernel send to a disk, page cache included (`write_bytes` of proc(5)). */
  readonly diskBytes: number
}

export async function readUsage(pid: number): Promise<ProcessUsage> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8")
  const [stat, status, io] = await Promise.all([read("stat"), read("status"), read("io")])
  // The name in parentheses may hold anything; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return {
    atNs: nowNs(),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) * tickSeconds,
    residentBytes: find(status, /VmRSS:\s+(\d+) kB/) * 1024,
    diskBytes: find(io, /^write_bytes: (\d+)/m),
  }
}

/** Cores used between two readings. */
export function coresBetween(before: ProcessUsage, after: ProcessUsage): number {
  return ((after.cpuSeconds - before.cpuSeconds) * 1e9) / (after.atNs - before.atNs)
}

/** CLOCK_MONOTONIC, which the load program tells its times in too; exact for 104 days after boot. */
export function nowNs(): number {
  return Number(process.hrtime.bigint())
}

function find(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`expected ${pattern} in ${JSON.stringify(text)}`)
  return Number(found)
}
