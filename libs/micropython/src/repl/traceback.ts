import { AppError, type ErrorCode } from "@serialcast/contract"

/** Errno of POSIX, which MicroPython's OSErrors have on every board; small boards tell the number alone. */
const codesOfErrno: Readonly<Record<number, ErrorCode>> = {
  2: "no_such_file",
  17: "file_exists",
  20: "no_such_file",
  21: "is_directory",
  28: "no_space",
  39: "not_empty",
}

/** What a traceback means: `OSError: [Errno 2] ENOENT`, `OSError: 28`, `MemoryError: …`. `what` is said before it. */
export function errorOfTraceback(stderr: string, what: string): AppError {
  const last = lastLine(stderr)
  return new AppError(codeOf(last), `${what}: ${last}.`)
}

function codeOf(line: string): ErrorCode {
  if (line.startsWith("MemoryError")) return "board_memory"
  const [, errno] = /^OSError: (?:\[Errno )?(\d+)/.exec(line) ?? []
  return codesOfErrno[Number(errno)] ?? "board_error"
}

function lastLine(stderr: string): string {
  const lines = stderr.split(/\r?\n/).filter((line) => line.trim() !== "")
  return lines.at(-1)?.trim() ?? "no message"
}
