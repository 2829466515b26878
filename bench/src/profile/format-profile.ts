import type { SelfTime } from "./self-times.ts"

const idle = "(idle)"
const shownFunctions = 40
const shownParts = 20

/** Two Markdown tables of the time that was not idle: by part of the program, and by function. */
export function formatProfile(times: readonly SelfTime[]): string {
  const busy = times.filter(({ name }) => name !== idle)
  const busyMs = sum(busy)
  const share = (ms: number) => `${((ms * 100) / busyMs).toFixed(1)} %`
  const parts = new Map<string, number>()
  for (const time of busy) parts.set(partOf(time), (parts.get(partOf(time)) ?? 0) + time.ms)
  const partRows = [...parts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, shownParts)
    .map(([part, ms]) => [share(ms), ms.toFixed(0), part])
  const functionRows = busy
    .slice(0, shownFunctions)
    .map(({ name, file, line, ms }) => [share(ms), ms.toFixed(0), `\`${name}\``, file && `${file}:${line}`])
  return [
    `Busy ${busyMs.toFixed(0)} of ${sum(times).toFixed(0)} ms.\n`,
    table(["share", "ms", "part"], partRows),
    table(["share", "ms", "function", "place"], functionRows),
  ].join("\n")
}

function sum(times: readonly SelfTime[]): number {
  return times.reduce((total, { ms }) => total + ms, 0)
}

/** `node_modules/ws`, `services/serial-agent/uplink`, `node:net`, or what the engine calls it. */
function partOf({ name, file }: SelfTime): string {
  if (file === "") return name
  const [, packageName] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
  if (packageName !== undefined) return `node_modules/${packageName}`
  return file.replace(/\/(?:src|dist)\//, "/").replace(/\/[^/]*$/, "")
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("")
}
