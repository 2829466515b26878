import { accepts } from "../negotiate/accept.ts"
import {
  type EntityTag,
  includesTag,
  parseEntityTags,
  strongCondition,
  weakCondition,
} from "../negotiate/entity-tag.ts"
import { essenceOf, type MediaType, parseMediaType } from "../negotiate/media-type.ts"
import type { ResourceStore } from "../store/resource-store.ts"
import { quoted } from "../table/check-change.ts"
import type { TagCondition } from "../table/command.ts"
import { allMethods, type Resource } from "../table/resource.ts"
import { parseTarget, type Target } from "../uri/parse-target.ts"
import { allowOf, methodBits, resourceMethodOf } from "./allow.ts"
import { type Answer, emptyAnswer, textAnswer } from "./answer.ts"
import type { AnswerRules } from "./answer-rules.ts"
import type { RequestHead, ResourceMethod } from "./request.ts"
import { servedType } from "./served-type.ts"

/** A request that may be done, once its body is there. */
export interface ReadyRequest {
  readonly head: RequestHead
  readonly uri: string
  readonly method: ResourceMethod
  /** What the body says to be, as it was given; null: nothing. */
  readonly contentType: string | null
  readonly ifMatch: TagCondition
  readonly ifNoneMatch: TagCondition
  readonly isRecursive: boolean
  /** The methods that mean something with a body; of others it is passed over. */
  readonly takesBody: boolean
}

export type Judged =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "ready"; readonly request: ReadyRequest }

/** Methods that HTTP has, beside those of resources: RFC 9110 §9.3, RFC 5789. */
const otherMethods = ["OPTIONS", "PATCH", "TRACE", "CONNECT"]

/**
 * What a request comes to by its head alone: an answer, or that it may be done. The order of the checks is the original's: may it
 * be asked, is it a method, an address, a resource, a method of that, small enough, of a type that somebody takes.
 */
export function judgeRequest(head: RequestHead, store: ResourceStore, rules: AnswerRules): Judged {
  const refusal = rules.check(head)
  if (refusal !== undefined) return answered(textAnswer(refusal.status, refusal.message, refusal.headers))
  const method = resourceMethodOf(head.method)
  if (method === undefined && !otherMethods.includes(head.method)) {
    return answered(textAnswer(501, "Use GET, HEAD, PUT, POST, DELETE or OPTIONS."))
  }
  const target = parseTarget(head.target, rules.basePath)
  if (target.kind !== "resource") return answered(withoutResource(head, target))
  const resource = store.get(target.uri)
  if (resource === undefined) return answered(unknownResource())
  const { methods } = resource
  if (head.method === "OPTIONS") return answered(emptyAnswer(204, { Allow: allowOf(methods) }))
  if (method === undefined || (methods & methodBits[method]) === 0) return answered(methodNotAllowed(methods))
  return judgeForResource({ head, method, target, resource }, rules)
}

export function unknownResource(): Answer {
  return textAnswer(404, "Check the address: there is no such resource.")
}

export function methodNotAllowed(methods: number): Answer {
  const message = "Use a method that the Allow header lists: this resource takes no other."
  return textAnswer(405, message, { Allow: allowOf(methods) })
}

export function preconditionFailed(etag: string | undefined): Answer {
  const message = "Get the resource anew: it is not, or is, what the condition of the request says."
  return textAnswer(412, message, etag === undefined ? {} : { ETag: `"${etag}"` })
}

function withoutResource({ method }: RequestHead, target: Exclude<Target, { kind: "resource" }>): Answer {
  if (target.kind === "elsewhere") return unknownResource()
  if (target.kind === "refused") return textAnswer(target.status, target.message)
  // RFC 9112 §3.2.4: only OPTIONS asks the server as a whole.
  return method === "OPTIONS"
    ? emptyAnswer(204, { Allow: allowOf(allMethods) })
    : textAnswer(400, "Begin the address with a slash.")
}

interface Met {
  readonly head: RequestHead
  readonly method: ResourceMethod
  readonly target: Extract<Target, { kind: "resource" }>
  readonly resource: Resource
}

/** The rest is told of as something that happened to the resource. */
function judgeForResource(met: Met, rules: AnswerRules): Judged {
  const { head, method, target, resource } = met
  const { headers } = head
  const isRecursive = flagOf(target.query.get("recursive"))
  const [match, noneMatch] = [tagsOf(headers["if-match"]), tagsOf(headers["if-none-match"])]
  const takesBody = method === "PUT" || method === "POST"
  if (isRecursive === undefined || match === "bad" || noneMatch === "bad") {
    const message =
      isRecursive === undefined
        ? "Write recursive=1, or leave it out."
        : 'Write If-Match and If-None-Match as entity tags in quotes, or as "*" without them.'
    return withEvent(met, textAnswer(400, message))
  }
  const refusal = takesBody ? whyNotBody(head, rules) : whyNotAcceptable(met, rules)
  if (refusal !== undefined) return withEvent(met, refusal)
  const [ifMatch, ifNoneMatch] = [strongCondition(match), weakCondition(noneMatch)]
  const isRead = method === "GET" || method === "HEAD"
  // RFC 9110 §13.2.2; the store judges again, as nobody can come between there.
  if (ifMatch !== null && !includesTag(ifMatch, resource.etag)) {
    return withEvent(met, preconditionFailed(resource.etag))
  }
  if (!isRead && includesTag(ifNoneMatch, resource.etag)) {
    return withEvent(met, preconditionFailed(resource.etag))
  }
  const contentType = takesBody ? (headers["content-type"]?.trim() ?? null) : null
  const request = { head, uri: target.uri, method, contentType, ifMatch, ifNoneMatch, isRecursive, takesBody }
  return { kind: "ready", request }
}

/** The original's 406: only what is got is negotiated. */
function whyNotAcceptable({ method, head, resource }: Met, { allowHtml }: AnswerRules): Answer | undefined {
  if (method === "DELETE") return undefined
  // Who asks for HTML and gets it as text was not refused what is in it.
  const types = [resource.contentType, servedType(resource.contentType, allowHtml)]
  const isTaken = types.some((text) => {
    const parsed = parseMediaType(text)
    return parsed !== undefined && accepts(head.headers["accept"], parsed)
  })
  if (isTaken) return undefined
  return textAnswer(406, `Accept ${types[1]}, which this resource is.`, { Vary: "Accept" })
}

function whyNotBody(
  { headers }: RequestHead,
  { maxBodyBytes, contentTypes }: AnswerRules,
): Answer | undefined {
  if (Number(headers["content-length"] ?? 0) > maxBodyBytes) return tooLarge(maxBodyBytes)
  const contentType = headers["content-type"]
  const parsed: MediaType | undefined = contentType === undefined ? undefined : parseMediaType(contentType)
  if (contentType !== undefined && (parsed === undefined || !contentTypes.has(essenceOf(parsed)))) {
    const found = `Found ${quoted(contentType)}.`
    return textAnswer(415, `Send one of these types: ${[...contentTypes].join(", ")}. ${found}`)
  }
  // RFC 9110 §8.4: it would be kept, and served, as what it is not.
  if ((headers["content-encoding"] ?? "identity").trim().toLowerCase() !== "identity") {
    return textAnswer(415, "Send the body as it is, without a Content-Encoding.", {
      "Accept-Encoding": "identity",
    })
  }
  // RFC 9110 §14.4: a part is not to be taken for the whole.
  if (headers["content-range"] === undefined) return undefined
  return textAnswer(400, "Send the whole value, without Content-Range.")
}

export function tooLarge(maxBodyBytes: number): Answer {
  return textAnswer(413, `Send less: a value has at most ${maxBodyBytes} bytes.`)
}

function tagsOf(header: string | undefined): readonly EntityTag[] | "*" | "bad" | undefined {
  return header === undefined ? undefined : (parseEntityTags(header) ?? "bad")
}

/** `?recursive=1`; undefined: it says something else. */
function flagOf(value: string | null): boolean | undefined {
  if (value === null || value === "0" || value === "false") return false
  return value === "1" || value === "true" ? true : undefined
}

function withEvent({ head, method, target }: Met, answer: Answer): Judged {
  return answered(told({ head, method, uri: target.uri }, answer))
}

/** The answer, with what is told of the request. */
export function told(
  { head, method, uri }: Pick<ReadyRequest, "head" | "method" | "uri">,
  answer: Answer,
  { body = new Uint8Array(0), newUri = "" }: { readonly body?: Uint8Array; readonly newUri?: string } = {},
): Answer {
  const { status } = answer
  return { ...answer, event: { uri, method, headers: head.sentHeaders, body, newUri, status } }
}

function answered(answer: Answer): Judged {
  return { kind: "answered", answer }
}
