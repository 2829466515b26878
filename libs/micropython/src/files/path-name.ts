import { AppError } from "@serialcast/contract"
import { textLiteral } from "../repl/python-literal.ts"

/** What littlefs and FAT take in one name, in bytes of UTF-8. */
const maxNameBytes = 255
const maxPathBytes = 1_024
const encoder = new TextEncoder()

/** A path of the board as a Python literal. Throws `bad_request` when no board can have it. */
export function pathLiteral(path: string): string {
  refuseBadPath(path)
  return textLiteral(path)
}

export function refuseBadPath(path: string): void {
  const refuse = (why: string): never => {
    throw new AppError("bad_request", `A path on the board ${why}.`)
  }
  if (path === "") refuse("is not empty")
  if (path.includes("\0")) refuse("has no NUL in it")
  // Half of a surrogate pair has no UTF-8.
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(path))
    refuse("is valid Unicode")
  const names = path.split("/").map((name) => encoder.encode(name).byteLength)
  if (Math.max(...names) > maxNameBytes) refuse(`has names of at most ${maxNameBytes} bytes`)
  if (encoder.encode(path).byteLength > maxPathBytes) refuse(`has at most ${maxPathBytes} bytes`)
}

/** The folder of a path, with its slash, and the name in it. Throws `bad_request` when the path ends in a slash. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  refuseBadPath(path)
  const at = path.lastIndexOf("/") + 1
  if (at === path.length) throw new AppError("bad_request", "The path of a file does not end in a slash.")
  return { folder: path.slice(0, at), name: path.slice(at) }
}
