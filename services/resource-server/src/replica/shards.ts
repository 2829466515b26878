import { createHash } from "node:crypto"
import { whyNotUri } from "@serialcast/resources"

/** Into so many lists the index is cut: one is written again for each resource that comes or goes. */
const shardCount = 64

export const allShards: readonly string[] = Array.from({ length: shardCount }, (_, n) =>
  n.toString(16).padStart(2, "0"),
)

/** The name of the list that a URI is on. */
export function shardOf(uri: string): string {
  const [byte = 0] = createHash("sha256").update(uri).digest()
  return allShards[byte % shardCount] ?? "00"
}

/** Which URIs there are, by the lists of the index. */
export class Shards {
  readonly #byName = new Map<string, Set<string>>()

  add(uri: string): void {
    const name = shardOf(uri)
    const shard = this.#byName.get(name) ?? new Set()
    this.#byName.set(name, shard.add(uri))
  }

  delete(uri: string): void {
    this.#byName.get(shardOf(uri))?.delete(uri)
  }

  /** As its topic has it: a JSON list; nothing when it is empty. */
  encode(name: string): string {
    const uris = [...(this.#byName.get(name) ?? [])]
    return uris.length === 0 ? "" : JSON.stringify(uris.sort())
  }
}

/** The URIs of a list of the index; none when it is not one. */
export function parseShard(payload: Uint8Array): readonly string[] {
  try {
    const found: unknown = JSON.parse(new TextDecoder().decode(payload))
    if (!Array.isArray(found)) return []
    // Anybody can publish there: no topic can be made of what is no URI.
    return found.filter((uri) => typeof uri === "string" && whyNotUri(uri) === undefined)
  } catch {
    return []
  }
}
