import { AppError, type ErrorCode } from "@serialcast/contract"

/** Errno of POSIX, which MicroPython's OSErrors have on every board; small boards tell the number alone. */
const errnos: Readonly<Record<number, { readonly name: string; readonly code: ErrorCode }>> = {
  2: { name: "ENOENT", code: "no_such_file" },
  17: { name: "EEXIST", code: "file_exists" },
  20: { name: "ENOTDIR", code: "no_such_file" },
  21: { name: "EISDIR", code: "is_directory" },
  28: { name: "ENOSPC", code: "no_space" },
  39: { name: "ENOTEMPTY", code: "not_empty" },
}

/** What a traceback means: `OSError: [Errno 2] ENOENT`, `OSError: 28`, `MemoryError: …`. `what` is said before it. */
export function errorOfTraceback(stderr: string, what: string): AppError {
  const last = lastLine(stderr)
  const [, number] = /^OSError: (\d+)$/.exec(last) ?? []
  const name = errnos[Number(number)]?.name
  return new AppError(codeOf(last), `${what}: ${last}${name === undefined ? "" : ` (${name})`}.`)
}

function codeOf(line: string): ErrorCode {
  if (line.startsWith("MemoryError")) return "board_memory"
  const [, errno] = /^OSError: (?:\[Errno )?(\d+)/.exec(line) ?? []
  return errnos[Number(errno)]?.code ?? "board_error"
}

function lastLine(stderr: string): string {
  const lines = stderr.split(/\r?\n/).filter((line) => line.trim() !== "")
  return lines.at(-1)?.trim() ?? "no message"
}
