import { AppError } from "@serialcast/contract"
import { DELETE, GET, POST, PUT } from "@serialcast/resources"

const bits: Readonly<Record<string, number>> = { GET, PUT, POST, DELETE }

/** `["GET", "PUT"]` of 3. */
export function methodNames(methods: number): string[] {
  return Object.keys(bits).filter((name) => (methods & (bits[name] ?? 0)) !== 0)
}

/** The bits of such a list. Throws `bad_request`; `name` says what of. */
export function parseMethods(found: unknown, name: string): number {
  const isList =
    Array.isArray(found) && found.every((one) => typeof one === "string" && Object.hasOwn(bits, one))
  if (isList) return found.reduce((sum: number, one: string) => sum | (bits[one] ?? 0), 0)
  const text = JSON.stringify(found)?.slice(0, 100)
  throw new AppError("bad_request", `Expected a list of GET, PUT, POST and DELETE as ${name}; found ${text}.`)
}
