import { includesTag } from "../negotiate/entity-tag.ts"
import type { ResourceStore } from "../store/resource-store.ts"
import type { Change, Outcome } from "../table/command.ts"
import type { Resource } from "../table/resource.ts"
import { encodeUri } from "../uri/encode-uri.ts"
import { allowOf } from "./allow.ts"
import { type Answer, emptyAnswer, safeHeaders, textAnswer } from "./answer.ts"
import type { AnswerRules } from "./answer-rules.ts"
import {
  methodNotAllowed,
  preconditionFailed,
  type ReadyRequest,
  told,
  unknownResource,
} from "./judge-request.ts"
import { servedType } from "./served-type.ts"

/** Does what a request asks for, with the body that came. Rejects with what `apply` does. */
export async function answerRequest(
  request: ReadyRequest,
  body: Uint8Array,
  store: ResourceStore,
  rules: AnswerRules,
  signal?: AbortSignal,
): Promise<Answer> {
  const { method, uri } = request
  if (method === "GET" || method === "HEAD") {
    const resource = store.get(uri)
    return resource === undefined
      ? unknownResource()
      : told(request, read(request, resource, rules), { body })
  }
  const outcome = await store.apply(changeOf(request, method, body), signal)
  if (outcome.kind === "refused") {
    const answer = refused(outcome, request, store)
    // As when it is told by the head: nobody who is told of requests hears of these two.
    return answer.status === 404 || answer.status === 405 ? answer : told(request, answer, { body })
  }
  const { resource } = outcome
  if (method !== "POST") return told(request, done(method, resource, rules), { body })
  const headers = { Location: rules.basePath + encodeUri(resource.uri), ETag: `"${resource.etag}"` }
  const created = textAnswer(201, `The resource ${headers.Location} was made.`, headers)
  return told(request, created, { body, newUri: resource.uri })
}

function changeOf(request: ReadyRequest, method: "PUT" | "POST" | "DELETE", value: Uint8Array): Change {
  const { uri, contentType, ifMatch, ifNoneMatch, isRecursive } = request
  switch (method) {
    case "PUT":
      return { kind: "put", uri, contentType, value, ifMatch, ifNoneMatch, asMethod: true }
    case "POST":
      return { kind: "addChild", parent: uri, contentType, value, asMethod: true }
    case "DELETE":
      return { kind: "remove", uri, recursive: isRecursive, ifMatch, asMethod: true }
  }
}

function done(method: "PUT" | "DELETE", { uri, etag }: Resource, { basePath }: AnswerRules): Answer {
  if (method === "DELETE") return emptyAnswer(204)
  return emptyAnswer(204, { "Content-Location": basePath + encodeUri(uri), ETag: `"${etag}"` })
}

function read(request: ReadyRequest, resource: Resource, { allowHtml }: AnswerRules): Answer {
  const { contentType, value, etag, changedAt } = resource
  const validators = {
    ETag: `"${etag}"`,
    // For people and caches: no condition goes by it, as a value may change many times in the second that it names.
    "Last-Modified": new Date(Math.min(changedAt, maxDateMs)).toUTCString(),
    Vary: "Accept",
  }
  if (includesTag(request.ifNoneMatch, etag)) return emptyAnswer(304, validators)
  return {
    status: 200,
    headers: {
      ...safeHeaders,
      ...(allowHtml ? { "Content-Security-Policy": policyOfPages } : {}),
      ...validators,
      "Content-Type": servedType(contentType, allowHtml),
      "Content-Length": `${value.byteLength}`,
    },
    body: request.method === "HEAD" ? new Uint8Array(0) : value,
  }
}

/** The end of the year 9999: what comes later has no date of four digits. */
const maxDateMs = Date.UTC(9999, 11, 31)

/** Pages may run their scripts, as strangers to this origin: they have none of its cookies and storage. */
const policyOfPages = "sandbox allow-scripts allow-forms; frame-ancestors 'none'"

function refused(
  { why, uri }: Extract<Outcome, { kind: "refused" }>,
  request: ReadyRequest,
  store: ResourceStore,
): Answer {
  switch (why) {
    case "unknown":
      return unknownResource()
    case "exists":
      return textAnswer(409, "Choose another address: there is a resource already.")
    case "full":
      return textAnswer(507, "Delete a resource first: there is no room for another one here.")
    case "precondition":
      return preconditionFailed(store.get(uri)?.etag)
    case "method":
      return uri === request.uri
        ? methodNotAllowed(store.get(uri)?.methods ?? 0)
        : textAnswer(409, `Leave out recursive, or remove ${encodeUri(uri)} otherwise: it takes no DELETE.`, {
            Allow: allowOf(store.get(request.uri)?.methods ?? 0),
          })
  }
}
