import { UsageError } from "../command/usage-error.ts"

/** Of two files under one name the first would be lost. Throws `UsageError`. */
export function refuseSameTargets(items: readonly { readonly target: string }[]): void {
  const seen = new Set<string>()
  for (const { target } of items) {
    if (seen.has(target)) throw new UsageError(`Two of these would be ${target}: copy them one at a time.`)
    seen.add(target)
  }
}
