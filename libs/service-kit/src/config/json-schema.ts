import { z } from "zod"
import { configSchema } from "./schema.ts"

/** The part of JSON Schema 2020-12 that describes the configuration. */
export interface SchemaNode {
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly oneOf?: readonly SchemaNode[]
}

/** JSON Schema of the configuration file, for editors. */
export function configJsonSchema(): SchemaNode {
  const schema = z.toJSONSchema(configSchema, { io: "input" })
  // zod types keywords more loosely than what it writes for this schema.
  return { title: "Serialcast configuration", ...schema } as SchemaNode
}

/** The keys that may stand at `path`; empty where there is no map. */
export function keysAt(root: SchemaNode, path: readonly PropertyKey[]): readonly string[] {
  let nodes: readonly SchemaNode[] = [root]
  for (const key of path) {
    nodes = nodes.flatMap(alternatives).flatMap((node) => childOf(node, String(key)))
  }
  return nodes.flatMap(alternatives).flatMap((node) => Object.keys(node.properties ?? {}))
}

export function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ?? node.oneOf ?? [node]
}

function childOf(
  { properties, additionalProperties, items }: SchemaNode,
  key: string,
): readonly SchemaNode[] {
  if (items !== undefined) return alternatives(items)
  const child = properties?.[key] ?? additionalProperties
  return typeof child === "object" ? [child] : []
}
