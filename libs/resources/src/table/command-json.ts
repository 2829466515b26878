import { checkChange } from "./check-change.ts"
import type { Change, Command } from "./command.ts"
import { type JsonFields, parseJsonObject } from "./json-fields.ts"
import { valueOfJson, valueToJson } from "./json-value.ts"
import { allMethods, maxTimeMs, resourceOrigins } from "./resource.ts"
import { asJson, tellingOf } from "./resource-json.ts"

const kinds = ["add", "addChild", "put", "methods", "remove", "tell"] as const
const maxSeed = 2 ** 32 - 1

/** `{"id", "at", "seed", "maxUri", "change": {"kind", …}}`; a change has `ct`, `enc`, `v` and `told` as a resource's JSON has them. */
export function encodeCommand({ id, at, seed, maxUri, change }: Command): string {
  return JSON.stringify({ id, at, seed, maxUri, change: changeToJson(change) })
}

/** Throws `bad_json`. */
export function parseCommand(text: string): Command {
  const fields = parseJsonObject(text, "a command")
  const command = {
    id: fields.string("id"),
    at: fields.integer("at", maxTimeMs),
    seed: fields.integer("seed", maxSeed),
    maxUri: fields.integer("maxUri", Number.MAX_SAFE_INTEGER),
    change: changeOf(fields.object("change")),
  }
  asJson(() => checkChange(command.change))
  return command
}

function changeToJson(change: Change): object {
  switch (change.kind) {
    case "add": {
      const { contentType: ct, value, methods: m, childMethods: cm, ...rest } = change
      return { ...rest, ct, ...valueToJson(value), m, cm }
    }
    case "addChild":
    case "put": {
      const { contentType: ct, value, ...rest } = change
      return { ...rest, ct, ...valueToJson(value) }
    }
    case "methods": {
      const { methods: m, childMethods: cm, ...rest } = change
      return { ...rest, m, cm }
    }
    case "remove":
      return change
    case "tell": {
      const { contentType: ct, value, methods: m, ...rest } = change
      return { ...rest, ct, ...(value === null ? {} : valueToJson(value)), m }
    }
  }
}

function changeOf(fields: JsonFields): Change {
  const kind = fields.oneOf("kind", kinds)
  switch (kind) {
    case "add":
      return {
        kind,
        uri: fields.string("uri"),
        contentType: fields.string("ct"),
        value: valueOfJson(fields),
        methods: fields.integer("m", allMethods),
        ...childMethodsOf(fields),
        origin: fields.oneOf("origin", resourceOrigins),
      }
    case "addChild":
      return {
        kind,
        parent: fields.string("parent"),
        contentType: fields.stringOrNull("ct"),
        value: valueOfJson(fields),
        ...asMethodOf(fields),
      }
    case "put":
      return {
        kind,
        uri: fields.string("uri"),
        contentType: fields.stringOrNull("ct"),
        value: valueOfJson(fields),
        ifMatch: fields.condition("ifMatch"),
        ifNoneMatch: fields.condition("ifNoneMatch"),
        ...asMethodOf(fields),
      }
    case "methods":
      return {
        kind,
        uri: fields.string("uri"),
        methods: fields.integer("m", allMethods),
        ...childMethodsOf(fields),
      }
    case "remove":
      return {
        kind,
        uri: fields.string("uri"),
        recursive: fields.boolean("recursive", false),
        ifMatch: fields.condition("ifMatch"),
        ...asMethodOf(fields),
      }
    case "tell":
      return {
        kind,
        uri: fields.string("uri"),
        contentType: fields.string("ct"),
        value: fields.has("v") ? valueOfJson(fields) : null,
        methods: fields.integer("m", allMethods),
        told: tellingOf(fields.object("told")),
        below: fields.string("below"),
        most: fields.integer("most", Number.MAX_SAFE_INTEGER),
      }
  }
}

function childMethodsOf(fields: JsonFields): { readonly childMethods?: number } {
  return fields.has("cm") ? { childMethods: fields.integer("cm", allMethods) } : {}
}

function asMethodOf(fields: JsonFields): { readonly asMethod?: boolean } {
  return fields.has("asMethod") ? { asMethod: fields.boolean("asMethod", false) } : {}
}
