import { type Mark, parseMark } from "@serialcast/contract"

/** A mark from its JSON: what a newer version wrote, or nobody can read, is `other`. */
export function parseMarkText(n: number, json: string): Mark {
  let wire: unknown
  try {
    wire = JSON.parse(json)
    return parseMark({ ...(wire as object), n })
  } catch {
    const kind = typeof wire === "object" && wire !== null && "kind" in wire ? wire.kind : undefined
    return { n, kind: "other", name: typeof kind === "string" ? kind : "unknown" }
  }
}
