import { ResourceError } from "../errors.ts"
import { essenceOf, parseMediaType } from "../negotiate/media-type.ts"
import { quoted } from "../table/check-change.ts"
import type { RequestHead } from "./request.ts"

/** A request that is not to be answered otherwise. */
export interface Refusal {
  readonly status: number
  /** A sentence that says what to do. */
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface AnswerOptions {
  /** Where the resources begin, as in `/r`; it is part of no uri. Default: nothing. */
  readonly basePath?: string
  /** Default: 32,768, as the original. */
  readonly maxBodyBytes?: number
  /** Types that browsers run, as HTML, are served as they are and not as text. Default: false. */
  readonly allowHtml?: boolean
  /** Types that PUT and POST take, without parameters. Default: those of the original. */
  readonly contentTypes?: readonly string[]
  /** Comes before everything else: for who may ask, from where. Default: everybody. */
  readonly check?: (request: RequestHead) => Refusal | undefined
}

export type AnswerRules = Required<Omit<AnswerOptions, "contentTypes">> & {
  readonly contentTypes: ReadonlySet<string>
}

/** The original's TEXT, XML, PLAIN, JSON, OCTET and APP_XML. */
const originalTypes = [
  "text/html",
  "text/xml",
  "text/plain",
  "application/json",
  "application/octet-stream",
  "application/xml",
]

/** The options with their defaults. Throws `bad_argument`. */
export function createAnswerRules(options: AnswerOptions = {}): AnswerRules {
  const { basePath = "", maxBodyBytes = 32_768, allowHtml = false, check = () => undefined } = options
  if (!/^(?:\/[A-Za-z0-9._~-]+)*$/.test(basePath)) {
    throw new ResourceError(
      "bad_argument",
      `basePath: expected a path like /r, without a slash at its end; found ${quoted(basePath)}.`,
    )
  }
  if (!Number.isSafeInteger(maxBodyBytes) || maxBodyBytes < 0) {
    throw new ResourceError(
      "bad_argument",
      `maxBodyBytes: expected a number of bytes; found ${maxBodyBytes}.`,
    )
  }
  const contentTypes = new Set((options.contentTypes ?? originalTypes).map(essence))
  return { basePath, maxBodyBytes, allowHtml, check, contentTypes }
}

function essence(text: string): string {
  const found = parseMediaType(text)
  if (found !== undefined) return essenceOf(found)
  throw new ResourceError("bad_argument", `contentTypes: expected media types; found ${quoted(text)}.`)
}
