import type { Device } from "../device.ts"

/** Work under a lease of a device. */
export interface OutcomeTeller<D extends Pick<Device, "acquireLease">> {
  /** The device; its leases tell when they are given back whether what `run` was given was done. */
  readonly device: D
  run<T>(work: () => Promise<T>): Promise<T>
}

/**
 * For those who hold a lease for a piece of work: what terminals are told at its end is then what became of the work.
 * `signal`: of whoever may give it up.
 */
export function tellOutcome<D extends Pick<Device, "acquireLease">>(
  device: D,
  signal: AbortSignal,
): OutcomeTeller<D> {
  let isDone = false
  const outcome = () => (isDone ? undefined : signal.aborted ? "cancelled" : "failed")
  return {
    device: { ...device, acquireLease: (options) => device.acquireLease({ ...options, outcome }) },
    async run(work) {
      const result = await work()
      isDone = true
      return result
    },
  }
}
