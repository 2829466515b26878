import { pino } from "pino"

// More than any line of ours has. They keep one value, a cyclic one included, from costing much time or room.
const maxDepth = 8
const maxValues = 1_000

const secretName =
  /(?:token|password|passwd|passphrase|secret|authorization|cookie|api[-_]?key|private[-_]?key)$/i
// Its holder may be told; as text it is the token of one.
const leaseName = /lease$/i

/**
 * What may be shown of `value`: the same for plain values; of anything else a copy, at any depth without secrets (known
 * by the name of their key) and bytes, which may be a device's secrets. Errors become maps of their type, message,
 * stack and fields. Beyond 8 levels or 1,000 values nothing is shown.
 */
export function sanitize(value: unknown): unknown {
  return shown(value, { depth: 0, budget: { left: maxValues } })
}

interface Place {
  readonly depth: number
  /** Counts down over the whole value. */
  readonly budget: { left: number }
}

function shown(value: unknown, { depth, budget }: Place): unknown {
  if (typeof value !== "object" || value === null) return value
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return `[${value.byteLength} bytes]`
  }
  if (depth === maxDepth || budget.left <= 0) return "[not shown]"
  const inner: Place = { depth: depth + 1, budget }
  if (Array.isArray(value)) {
    return takeFrom(value, budget).map((item) => shown(item, inner))
  }
  if ("toJSON" in value && typeof value.toJSON === "function") return shown(value.toJSON(), inner)
  // The serializer adds message and stack, of the causes too, to the fields that an error has of its own.
  const fields = value instanceof Error ? pino.stdSerializers.err(value) : value
  return Object.fromEntries(
    takeFrom(Object.entries(fields), budget).map(([key, field]) => [
      key,
      isSecret(key, field) ? "[redacted]" : shown(field, inner),
    ]),
  )
}

function isSecret(key: string, field: unknown): boolean {
  return field !== undefined && (secretName.test(key) || (typeof field === "string" && leaseName.test(key)))
}

function takeFrom<T>(items: readonly T[], budget: Place["budget"]): readonly T[] {
  const taken = items.slice(0, budget.left)
  budget.left -= taken.length
  return taken
}
