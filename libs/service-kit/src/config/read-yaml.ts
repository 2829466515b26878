import { AppError } from "@serialcast/contract"
import { LineCounter, parseDocument } from "yaml"
import { isMap } from "./environment.ts"

/** The values of a YAML document. Throws `bad_config` with line and column of every mistake in its syntax. */
export function readYaml(text: string, source: string): unknown {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  // A warning is a tag that nobody resolves: its value would be taken for something else.
  const mistakes = [...document.errors, ...document.warnings].map(({ message, pos: [at] }) => {
    const { line, col } = lineCounter.linePos(at)
    return `${source}: line ${line}, column ${col}: ${message}`
  })
  if (mistakes.length > 0) throw new AppError("bad_config", mistakes.join("\n"))
  return withoutEmptySections(valuesOf(document, source))
}

function valuesOf(document: { toJS(): unknown }, source: string): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    // An alias without its anchor, or so many aliases that resolving them would exhaust memory.
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new AppError("bad_config", `${source}: ${message}`, { cause })
  }
}

/** A section whose keys are all commented out is null in YAML and means the same as no section. */
function withoutEmptySections(values: unknown): unknown {
  if (values === null) return {}
  if (!isMap(values)) return values
  return Object.fromEntries(Object.entries(values).filter(([, section]) => section !== null))
}
