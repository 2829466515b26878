import type { ErrorCode } from "@serialcast/contract"

/** Those of errno (POSIX), as MicroPython's `OSError` has them. */
const input = 5
const codes: Partial<Record<ErrorCode, number>> = {
  device_offline: 19,
  unknown_device: 19,
  leased: 16,
  lease_lost: 16,
  overloaded: 16,
  bad_request: 22,
  unsupported: 95,
  cancelled: 125,
}

/** The code of the response that tells of a failure; never 0. Both official clients only look whether it is 0. */
export function responseCodeOf(code: ErrorCode): number {
  return codes[code] ?? input
}
