import { z } from "zod"
import type { ForwardConfig } from "./config.ts"
import { deviceAddress, duration } from "./fields.ts"

// Built-in addresses come first.
const expectedUri =
  "expected a path like /board/led of letters, digits and . _ ~ -, outside /api and what every device has"
const uriPattern = /^(?!\/api(?:\/|$))(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/
const builtinPattern = /^\/devices\/[^/]+\/[^/]+\/(?:last-line|last-json|state|tx)$/

const expectedRequest =
  "expected up to 512 characters without control characters, and of words in braces only {method}, {uri}, {body} and {query}"
const requestPattern = /^(?!.*\{(?!(?:method|uri|body|query)\})\w+\})\P{Cc}+$/u

const expectedReply = "expected a regular expression of up to 512 characters"
const expectedType = "expected a media type like application/json"
const expectedTimeout = "expected a duration from 1ms to 60s"
const maxTimeoutMs = 60_000
const maxChars = 512
const maxForwards = 100

export const resourceMethods = z.array(
  z.enum(["GET", "PUT", "POST", "DELETE"]),
  "expected a list of GET, PUT, POST and DELETE",
)

const forwardSchema = z
  .strictObject({
    uri: z
      .string(expectedUri)
      .max(maxChars, expectedUri)
      .refine((text) => uriPattern.test(text) && !builtinPattern.test(text), expectedUri)
      .describe("Address of the resource"),
    device: deviceAddress.describe("Who answers its requests, as `<gateway>/<device>`"),
    methods: resourceMethods
      .min(1, "expected one of GET, PUT, POST and DELETE at least")
      .default(["GET"])
      .describe("Methods that it takes"),
    request: z
      .string(expectedRequest)
      .max(maxChars, expectedRequest)
      .regex(requestPattern, expectedRequest)
      .describe("Line that the device gets, with `{method}`, `{uri}`, `{body}` and `{query}` in it"),
    reply: z
      .string(expectedReply)
      .min(1, expectedReply)
      .max(maxChars, expectedReply)
      .refine(isPattern, expectedReply)
      .describe(
        "Regular expression that the answering line matches; the answer is its first group, or without one the line. Lines of more than 4 KiB are passed over",
      )
      .meta({ format: "regular expression" }),
    contentType: z
      .string(expectedType)
      .regex(/^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w.-]+)*$/, expectedType)
      .default("text/plain")
      .describe("Type of the answer"),
    timeout: duration
      .prefault("2s")
      .refine((ms) => ms >= 1 && ms <= maxTimeoutMs, expectedTimeout)
      .describe("How long the device may take to answer; then the request is answered with 504"),
    eol: z.enum(["lf", "cr", "crlf"]).default("lf").describe("What ends the line"),
  })
  .transform(({ timeout, ...forward }): ForwardConfig => ({ ...forward, timeoutMs: timeout }))

/** `resources.forward` of the configuration. */
export const forwards = z
  .array(forwardSchema, "expected a list of resources")
  .max(maxForwards, `expected at most ${maxForwards} resources`)
  .superRefine((found, context) => {
    for (const [at, { uri }] of found.entries()) {
      if (found.findIndex((one) => one.uri === uri) === at) continue
      context.addIssue({ code: "custom", path: [at, "uri"], message: "expected another one", input: uri })
    }
  })
  .default([])
  .describe("Resources whose requests devices answer, by a line")

function isPattern(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}
