import { alternatives, configJsonSchema, type SchemaNode } from "./json-schema.ts"

/** One key of the configuration that holds a value. */
export interface ConfigKey {
  /** `<name>` stands for the names in a map, `[]` for the entries of a list. */
  readonly path: readonly string[]
  readonly node: SchemaNode
  /** Environment variable that sets it; null inside lists and maps. */
  readonly variable: string | null
}

export const variablePrefix = "SERIALCAST_"

/** Every key, in the order of the schema. */
export function configKeys(): readonly ConfigKey[] {
  return keysBelow(configJsonSchema(), [], true)
}

function keysBelow(node: SchemaNode, path: readonly string[], hasVariable: boolean): readonly ConfigKey[] {
  const isMap = ({ properties, additionalProperties }: SchemaNode) =>
    properties !== undefined || typeof additionalProperties === "object"
  const maps = alternatives(node).filter(isMap)
  const values = alternatives(node).filter((alternative) => !isMap(alternative))
  const isList = values.some(({ type }) => type === "array")
  const own: ConfigKey = {
    path,
    // A union of plain values is one value; the scalar side of a union with a map stands for itself.
    node: maps.length === 0 ? node : { ...node, ...values[0] },
    variable: hasVariable && !isList ? variableName(path) : null,
  }
  return [
    ...(values.length === 0 ? [] : [own]),
    ...values.flatMap(({ items }) => (items === undefined ? [] : keysOfItems(items, path))),
    ...maps.flatMap(({ properties = {}, additionalProperties }) => [
      ...Object.entries(properties).flatMap(([key, child]) => keysBelow(child, [...path, key], hasVariable)),
      ...(typeof additionalProperties === "object"
        ? keysBelow(additionalProperties, [...path, "<name>"], false)
        : []),
    ]),
  ]
}

/** The keys of a list's entries; one that several kinds of entries have stands once, with the kinds that have it. */
function keysOfItems(items: SchemaNode, path: readonly string[]): readonly ConfigKey[] {
  const kinds = alternatives(items).filter(({ properties }) => properties !== undefined)
  const found = new Map<string, { readonly key: ConfigKey; readonly kinds: string[] }>()
  for (const kind of kinds) {
    for (const key of keysBelow(kind, [...path, "[]"], false)) {
      const known = found.get(key.path.join("."))
      if (known === undefined) found.set(key.path.join("."), { key, kinds: [nameOfKind(kind)] })
      else known.kinds.push(nameOfKind(kind))
    }
  }
  return [...found.values()].map(({ key, kinds: having }) => {
    if (key.node.const !== undefined) return { ...key, node: { ...withoutConst(key.node), enum: having } }
    return having.length === kinds.length ? key : { ...key, node: onlyIn(having, key.node) }
  })
}

/** What tells a kind from the others: the property that has one value. */
function nameOfKind({ properties = {} }: SchemaNode): string {
  return String(Object.values(properties).find((node) => node.const !== undefined)?.const)
}

function withoutConst({ const: _value, ...node }: SchemaNode): SchemaNode {
  return node
}

function onlyIn(kinds: readonly string[], node: SchemaNode): SchemaNode {
  return { ...node, description: `${kinds.map((kind) => `\`${kind}\``).join(", ")}: ${node.description}` }
}

function variableName(path: readonly string[]): string {
  return variablePrefix + path.map((key) => key.replaceAll(/[A-Z]/g, "_$&").toUpperCase()).join("_")
}
