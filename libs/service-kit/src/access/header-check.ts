import { AppError } from "@serialcast/contract"

/** As much as browsers and proxies send at the most; what is beyond is not looked at, as looking costs more than sending. */
const mostBytes = 16 * 1_024
const mostHeaders = 128

/** null: the headers are few and short enough to be judged. Looks at nothing but their lengths. */
export function whyNotHeaders(rawHeaders: readonly string[]): AppError | null {
  let bytes = 0
  for (const text of rawHeaders) bytes += text.length
  if (bytes <= mostBytes && rawHeaders.length <= 2 * mostHeaders) return null
  return new AppError(
    "headers_too_large",
    `Expected at most ${mostHeaders} headers of ${mostBytes} bytes together; found ${rawHeaders.length / 2} of ${bytes}.`,
  )
}
