import { type ConfigKey, configKeys } from "./config-keys.ts"
import type { SchemaNode } from "./json-schema.ts"

/** Markdown table of every key: type, default, environment variable, meaning. */
export function configReference(): string {
  const rows = configKeys().map(row)
  return [
    "| key | type | default | environment variable | meaning |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n")
}

function row({ path, node, variable }: ConfigKey): string {
  const cells = [
    `\`${path.join(".")}\``,
    typeOf(node),
    defaultOf(node),
    variable === null ? "" : `\`${variable}\``,
    node.description ?? "",
  ]
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
}

function typeOf(node: SchemaNode): string {
  if (node.format !== undefined) return node.format
  if (node.enum !== undefined) return node.enum.map(code).join(", ")
  if (node.const !== undefined) return code(node.const)
  if (node.anyOf !== undefined)
    return node.anyOf
      .filter(({ type }) => type !== "null")
      .map(typeOf)
      .join(", ")
  if (node.oneOf !== undefined) return "map"
  if (node.items !== undefined) return "list"
  return { boolean: "`true`, `false`", integer: "whole number" }[String(node.type)] ?? String(node.type)
}

function defaultOf({ default: value }: SchemaNode): string {
  if (value === undefined || value === null) return ""
  if (Array.isArray(value)) return value.map(code).join(", ") || "none"
  return typeof value === "object" ? "" : code(value)
}

function code(value: unknown): string {
  return `\`${String(value)}\``
}
