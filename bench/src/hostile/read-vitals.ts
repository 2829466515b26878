import type { Gateway } from "../rig/gateway.ts"
import { openFiles } from "../rig/open-files.ts"

/** What a process holds. */
export interface Vitals {
  readonly residentBytes: number
  readonly heapBytes: number
  /** Connections, and open files but those of the journals, of which a device has more the more it said. */
  readonly descriptors: number
}

/** From the gateway's metrics, right after a collection of garbage. */
export async function readVitals(gateway: Gateway): Promise<Vitals> {
  const { pid, adminUrl, journalFolder } = gateway
  await gateway.collectGarbage()
  const response = await fetch(`${adminUrl}/metrics`, { headers: { Connection: "close" } })
  const text = await response.text()
  const valueOf = (name: string) => {
    const [, value] = new RegExp(`^${name} (\\S+)$`, "m").exec(text) ?? []
    if (value === undefined) throw new Error(`expected ${name} in the metrics of ${adminUrl}`)
    return Number(value)
  }
  const files = await openFiles(pid)
  return {
    residentBytes: valueOf("process_resident_memory_bytes"),
    heapBytes: valueOf("nodejs_heap_size_used_bytes"),
    descriptors: files.filter((file) => !file.startsWith(journalFolder)).length,
  }
}
