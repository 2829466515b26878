import { AppError } from "@serialcast/contract"
import type { FileHash } from "@serialcast/micropython"
import type { Request } from "express"

/** RFC 9110 §8.8.3, strong: equal ones mean equal bytes. */
export function entityTag({ algorithm, hex }: FileHash): string {
  return `"${algorithm}-${hex}"`
}

/**
 * What a request says of the file as it must be, or must not be, for what is asked (RFC 9110 §13.2.2). `tag`: of the file as
 * it is; null: there is none.
 */
export function judgeConditions(
  { headers, method }: Pick<Request, "headers" | "method">,
  tag: string | null,
): "go on" | "not modified" {
  const { "if-match": wanted, "if-none-match": unwanted } = headers
  if (wanted !== undefined && !names(wanted, tag)) throw failed("If-Match", tag)
  // Compared weakly, unlike If-Match (§13.1): what a proxy has compressed has a weak one.
  if (unwanted === undefined || !names(unwanted.replaceAll("W/", ""), tag)) return "go on"
  if (method === "GET" || method === "HEAD") return "not modified"
  throw failed("If-None-Match", tag)
}

/** Whether a request has conditions at all: to judge them costs reading the file on the board. */
export function hasConditions({ headers }: Pick<Request, "headers">): boolean {
  return headers["if-match"] !== undefined || headers["if-none-match"] !== undefined
}

function names(list: string, tag: string | null): boolean {
  if (tag === null) return false
  // Ours have no commas in them.
  return list.trim() === "*" || list.split(",").some((one) => one.trim() === tag)
}

function failed(header: string, tag: string | null): AppError {
  const found = tag === null ? "there is no such file" : `the file is ${tag}`
  return new AppError("precondition_failed", `${header}: ${found}.`)
}
