import type { z } from "zod"
import { maskCredentials } from "../log/log-line.ts"
import { closestName } from "./closest-name.ts"
import { configJsonSchema, keysAt } from "./json-schema.ts"

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

// Of a URL that somebody wrote without its beginning.
const userWithoutScheme = /^"(?!\w+:\/\/)[^\s"]+@/

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a map",
  record: "a map",
  array: "a list",
}

/** Words for what zod wanted; schemas that know better carry their own. */
export function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${kinds[String(issue.expected)] ?? issue.expected}`
    case "invalid_value":
      return `expected ${anyOf((issue.values as readonly unknown[]).map(String))}`
    case "too_small":
      return issue.origin === "string"
        ? "expected text that is not empty"
        : `expected a number ${issue.inclusive === true ? "from" : "above"} ${issue.minimum}`
    case "too_big":
      return `expected at most ${issue.maximum}`
    default:
      return undefined
  }
}

/** One line for each problem. `nameOf` says what the user calls the key at a path. */
export function describeIssues(issues: readonly Issue[], nameOf: (path: Path) => string): readonly string[] {
  return issues.flatMap((issue) => describeIssue(issue, issue.path, nameOf))
}

function describeIssue(issue: Issue, path: Path, nameOf: (path: Path) => string): readonly string[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const suggestion = closestName(key, keysAt(configJsonSchema(), path))
        // Another kind of entry has it.
        const problem = suggestion === key ? "a key of another type" : `unknown key${didYouMean(suggestion)}`
        return `${nameOf([...path, key])}: ${problem}`
      })
    case "invalid_union":
      return describeUnion(issue, path, nameOf)
    case "invalid_key":
      return [line(nameOf(path), path, issue.issues[0]?.message ?? issue.message, issue.input)]
    default:
      return [line(nameOf(path), path, issue.message, issue.input)]
  }
}

/** The branch that was meant speaks for the union: the one that fits by its kind of value; else all together. */
function describeUnion(
  issue: Extract<Issue, { code: "invalid_union" }>,
  path: Path,
  nameOf: (path: Path) => string,
): readonly string[] {
  const meant = issue.errors.find((branch) => !branch.some(isOtherKind))
  if (meant !== undefined)
    return meant.flatMap((inner) => describeIssue(inner, [...path, ...inner.path], nameOf))
  if (issue.message.startsWith("expected")) return [line(nameOf(path), path, issue.message, inputOf(issue))]
  const wanted = issue.errors.flatMap((branch) =>
    branch.map(({ message }) => message.replace(/^expected /, "")),
  )
  return [line(nameOf(path), path, `expected ${anyOf(wanted)}`, issue.input)]
}

/** What was found where the path ends: of a union told apart by one key, that key's value. */
function inputOf({ input, discriminator }: Extract<Issue, { code: "invalid_union" }>): unknown {
  if (discriminator === undefined || typeof input !== "object" || input === null) return input
  return Object.entries(input).find(([key]) => key === discriminator)?.[1]
}

function isOtherKind({ code, path }: Issue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value")
}

/** `; did you mean …?`, to stand behind what was wrong; empty without a suggestion. */
export function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : `; did you mean ${suggestion}?`
}

function line(name: string, path: Path, expected: string, found: unknown): string {
  // YAML takes a password of digits alone for a number.
  const isPassword = path.includes("password") || path.includes("secret")
  if (isPassword && typeof found === "number") return `${name}: ${expected}, found a number`
  const isSecret = path[0] === "access" || isPassword
  return `${name}: ${expected}, found ${isSecret ? showKind(found) : show(found)}`
}

function anyOf(words: readonly string[]): string {
  const [last = "", ...others] = words.toReversed()
  return others.length === 0 ? last : `${others.toReversed().join(", ")} or ${last}`
}

/** Of what is about access, texts may be the token or the password itself. */
function showKind(value: unknown): string {
  return typeof value === "string" ? "other text" : show(value)
}

function show(value: unknown): string {
  if (value === undefined || value === null) return "nothing"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "object") return "a map"
  const text = maskCredentials(JSON.stringify(value)).replace(userWithoutScheme, '"[redacted]@')
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
