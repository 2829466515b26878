import { concatBytes, createDeferred } from "@serialcast/primitives"
import type { PortClosed, PortListener } from "../port-driver.ts"

/** Remembers what a port tells. */
export class PortRecord implements PortListener {
  readonly chunks: Uint8Array[] = []
  readonly closes: PortClosed[] = []
  readonly #closed = createDeferred<PortClosed>()

  readonly closed = this.#closed.promise

  get bytes(): Uint8Array {
    return concatBytes(this.chunks)
  }

  onBytes(bytes: Uint8Array): void {
    this.chunks.push(bytes)
  }

  onOverrun(): void {}

  onClosed(closed: PortClosed): void {
    this.closes.push(closed)
    this.#closed.resolve(closed)
  }
}
