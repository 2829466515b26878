import { Gauge, type Registry } from "@serialcast/service-kit"

/** What a reader is served by: the API's event stream, the hex server's, or an answer of a history. */
export type ReaderKind = "stream" | "hex" | "history"

/** Who reads what now. */
export interface ReaderMetrics {
  /** One more reader of the device, until the answer is disposed. */
  begin(device: string, kind: ReaderKind): Disposable
}

export function createReaderMetrics(registry: Registry): ReaderMetrics {
  const gauge = new Gauge({
    name: "serialcast_http_readers",
    help: "Clients that are being sent what a device says, or said: as events, by the hex protocol, or as history.",
    labelNames: ["device", "kind"],
    registers: [registry],
  })
  const counts = new Map<string, number>()
  const add = (device: string, kind: ReaderKind, change: number) => {
    const key = `${kind} ${device}`
    const count = (counts.get(key) ?? 0) + change
    counts.set(key, count)
    if (count > 0) return gauge.set({ device, kind }, count)
    // A device that is gone has no series any more.
    counts.delete(key)
    gauge.remove({ device, kind })
  }
  return {
    begin(device, kind) {
      add(device, kind, 1)
      return { [Symbol.dispose]: () => add(device, kind, -1) }
    },
  }
}
