import { DELETE, GET, POST, PUT } from "@serialcast/resources"
import { UsageError } from "../command/usage-error.ts"

const bits = new Map([
  ["GET", GET],
  ["PUT", PUT],
  ["POST", POST],
  ["DELETE", DELETE],
])

/** `["GET", "PUT"]` of 3. */
export function methodNames(methods: number): string[] {
  return [...bits].filter(([, bit]) => (methods & bit) !== 0).map(([name]) => name)
}

/** The bits of a list like `GET,PUT`; empty: of none. Throws `UsageError`. */
export function parseMethods(option: string, text: string): number {
  let methods = 0
  for (const name of text === "" ? [] : text.split(",")) {
    const bit = bits.get(name.trim().toUpperCase())
    if (bit === undefined)
      throw new UsageError(
        `--${option}: expected some of ${[...bits.keys()].join(",")}; found ${JSON.stringify(name)}.`,
      )
    methods |= bit
  }
  return methods
}
