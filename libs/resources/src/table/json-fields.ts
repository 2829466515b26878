import { ResourceError } from "../errors.ts"
import { quoted } from "./check-change.ts"

/** Throws `bad_json`. */
export function parseJsonObject(text: string, what: string): JsonFields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ResourceError("bad_json", `Expected ${what} as JSON; found ${quoted(text)}.`, { cause: error })
  }
  return new JsonFields(value, what)
}

/**
 * The fields of an object that came from anybody. Each call throws `bad_json` for what it does not expect. What nobody asks
 * for is ignored: a newer program may have added it.
 */
export class JsonFields {
  readonly #fields: ReadonlyMap<string, unknown>
  readonly #what: string

  constructor(value: unknown, what: string) {
    this.#what = what
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.bad("an object", value)
    }
    this.#fields = new Map(Object.entries(value))
  }

  has(name: string): boolean {
    return this.#fields.has(name)
  }

  object(name: string): JsonFields {
    return new JsonFields(this.#fields.get(name), `"${name}" of ${this.#what}`)
  }

  string(name: string, otherwise?: string): string {
    const value = this.#get(name, otherwise)
    if (typeof value !== "string") throw this.bad(`a string in "${name}"`, value)
    return value
  }

  /** null is one too. */
  stringOrNull(name: string): string | null {
    return this.#fields.get(name) === null ? null : this.string(name)
  }

  boolean(name: string, otherwise: boolean): boolean {
    const value = this.#get(name, otherwise)
    if (typeof value !== "boolean") throw this.bad(`true or false in "${name}"`, value)
    return value
  }

  /** From 0 to `max`. */
  integer(name: string, max: number, otherwise?: number): number {
    const value = this.#get(name, otherwise)
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max) return value
    throw this.bad(`an integer from 0 to ${max} in "${name}"`, value)
  }

  oneOf<T extends string>(name: string, known: readonly T[], otherwise?: T): T {
    const value = this.#get(name, otherwise)
    const found = known.find((one) => one === value)
    if (found === undefined) throw this.bad(`one of ${known.join(", ")} in "${name}"`, value)
    return found
  }

  /** null, `*`, or a list of strings; absent is null. */
  condition(name: string): readonly string[] | "*" | null {
    const value = this.#get(name, null)
    if (value === null || value === "*") return value
    if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value
    throw this.bad(`null, "*" or a list of strings in "${name}"`, value)
  }

  bad(expected: string, found: unknown): ResourceError {
    const text = found === undefined ? "nothing" : quoted(JSON.stringify(found))
    return new ResourceError("bad_json", `Expected ${expected} as part of ${this.#what}; found ${text}.`)
  }

  #get(name: string, otherwise: unknown): unknown {
    return this.#fields.has(name) ? this.#fields.get(name) : otherwise
  }
}
