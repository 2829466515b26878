import { alternatives, configJsonSchema, type SchemaNode } from "./json-schema.ts"

/** One key of the configuration that holds a value. */
export interface ConfigKey {
  /** `<name>` stands for the names in a map. */
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
    ...maps.flatMap(({ properties = {}, additionalProperties }) => [
      ...Object.entries(properties).flatMap(([key, child]) => keysBelow(child, [...path, key], hasVariable)),
      ...(typeof additionalProperties === "object"
        ? keysBelow(additionalProperties, [...path, "<name>"], false)
        : []),
    ]),
  ]
}

function variableName(path: readonly string[]): string {
  return variablePrefix + path.map((key) => key.replaceAll(/[A-Z]/g, "_$&").toUpperCase()).join("_")
}
