import type { Device } from "../device.ts"

/** Work under a lease of a device. */
export interface OutcomeTeller<D extends Pick<Device, "acquireLease">> {
  /** The device; its leases tell when they are given back whether what `run` was given was done. */
  readonly device: D
  run<T>(work: () => Promise<T>): Promise<T>
}

/**
 * For those who hold a lease for a piece of work: what terminals are told at its end is then what became of the work.
 * `isGivenUp`: whether that it ended by this error, or never began, is what whoever asked for it wants.
 */
export function tellOutcome<D extends Pick<Device, "acquireLease">>(
  device: D,
  isGivenUp: (error?: unknown) => boolean,
): OutcomeTeller<D> {
  let isDone = false
  let reason: unknown
  const outcome = () => (isDone ? undefined : isGivenUp(reason) ? "cancelled" : "failed")
  return {
    device: { ...device, acquireLease: (options) => device.acquireLease({ ...options, outcome }) },
    async run(work) {
      try {
        const result = await work()
        isDone = true
        return result
      } catch (error) {
        reason = error
        throw error
      }
    },
  }
}
