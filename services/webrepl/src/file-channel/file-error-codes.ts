/** Of errno (POSIX), as MicroPython's `OSError` has them. */
const inputOutput = 5
const codes: Readonly<Record<string, number>> = {
  no_such_file: 2,
  board_memory: 12,
  leased: 16,
  lease_lost: 16,
  overloaded: 16,
  board_busy: 16,
  file_exists: 17,
  device_offline: 19,
  unknown_device: 19,
  is_directory: 21,
  bad_request: 22,
  no_space: 28,
  not_empty: 39,
  unsupported: 95,
  board_timeout: 110,
  too_slow: 110,
  cancelled: 125,
}

/**
 * The code of the response that tells of a failure, from the error's code of the catalogue; never 0. Both official clients only
 * look whether it is 0.
 */
export function responseCodeOf(code: string): number {
  return codes[code] ?? inputOutput
}
