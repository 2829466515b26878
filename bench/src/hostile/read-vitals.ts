/** What a process holds, as it tells itself. */
export interface Vitals {
  readonly residentBytes: number
  readonly heapBytes: number
  /** Open files, of which connections are most. */
  readonly descriptors: number
}

/** From the gateway's metrics. */
export async function readVitals(adminUrl: string): Promise<Vitals> {
  const response = await fetch(`${adminUrl}/metrics`, { headers: { Connection: "close" } })
  const text = await response.text()
  const valueOf = (name: string) => {
    const [, value] = new RegExp(`^${name} (\\S+)$`, "m").exec(text) ?? []
    if (value === undefined) throw new Error(`expected ${name} in the metrics of ${adminUrl}`)
    return Number(value)
  }
  return {
    residentBytes: valueOf("process_resident_memory_bytes"),
    heapBytes: valueOf("nodejs_heap_size_used_bytes"),
    descriptors: valueOf("process_open_fds"),
  }
}
