import type { IncomingMessage, ServerResponse } from "node:http"
import { type Clock, systemClock } from "@serialcast/primitives"
import { type Answer, textAnswer } from "../answer/answer.ts"
import { answerRequest } from "../answer/answer-request.ts"
import { type AnswerOptions, type AnswerRules, createAnswerRules } from "../answer/answer-rules.ts"
import { judgeRequest, type ReadyRequest, told, tooLarge } from "../answer/judge-request.ts"
import type { RequestEvent } from "../answer/request.ts"
import { StoreUnavailable } from "../errors.ts"
import type { ResourceStore } from "../store/resource-store.ts"
import { endUnfinished } from "./end-unfinished.ts"
import { type Body, type BodyLimits, readBody } from "./read-body.ts"
import { requestHeadOf, whyMalformed } from "./request-head.ts"
import { RequestTurns } from "./request-turns.ts"
import { warn } from "./warn.ts"

export interface HandlerOptions extends AnswerOptions {
  /** How long a body may stand still, in milliseconds. Default: 5,000, as the original. */
  readonly bodyTimeoutMs?: number
  /** How long all of a body may take, in milliseconds. Default: 120,000. */
  readonly bodyDeadlineMs?: number
  /** Called after each answer to a request that met a resource and a method of it; what it throws goes to `onError`. */
  readonly onRequest?: (event: RequestEvent) => void
  /** Told what nobody expected: a request was answered with 500, or `onRequest` threw. Default: a warning of the process. */
  readonly onError?: (error: unknown) => void
  readonly clock?: Clock
}

/** `beforeBody`, where it is given, is called when the body is about to be read: for `Expect: 100-continue`. */
export type ResourceHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  beforeBody?: () => void,
) => void

/** Seconds after which a store that was unavailable is worth another try. */
const retryAfterS = "1"

interface Handling {
  readonly store: ResourceStore
  readonly rules: AnswerRules
  readonly limits: BodyLimits
  readonly onRequest: (event: RequestEvent) => void
  readonly onError: (error: unknown) => void
}

/** Answers requests for the resources of a store; to be the listener of a server's requests, or called by it. */
export function createResourceHandler(store: ResourceStore, options: HandlerOptions = {}): ResourceHandler {
  const { clock = systemClock, bodyTimeoutMs = 5_000, bodyDeadlineMs = 120_000 } = options
  const { onRequest = () => {}, onError = warn } = options
  const rules = createAnswerRules(options)
  const limits = { clock, maxBytes: rules.maxBodyBytes, timeoutMs: bodyTimeoutMs, deadlineMs: bodyDeadlineMs }
  const handling = { store, rules, limits, onRequest, onError }
  const turns = new RequestTurns()
  return (request, response, beforeBody = () => {}) => {
    const { socket } = request
    if (turns.isFull(socket)) return void socket.destroy()
    endUnfinished(request, response, clock)
    // Of a request that waits nobody else would take the pieces, each of which is an object.
    const early = turns.isBusy(socket) ? readBody(request, limits) : undefined
    const body = () => {
      beforeBody()
      return early ?? readBody(request, limits)
    }
    turns.take(socket, () => handle(request, response, body, handling))
  }
}

/** Answers one request and tells of it; over when its answer is, however that ends. Never rejects. */
async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  body: () => Promise<Body>,
  handling: Handling,
): Promise<void> {
  const gone = new AbortController()
  const closed = untilClosed(request, response)
  void closed.then(() => gone.abort())
  const answer = await answerOf(request, body, handling, gone.signal)
  if (answer === undefined) return
  send(response, answer)
  await closed
  try {
    if (answer.event !== undefined) handling.onRequest(answer.event)
  } catch (error) {
    handling.onError(error)
  }
}

/** undefined: nobody is there who could be answered. Never rejects. */
async function answerOf(
  request: IncomingMessage,
  body: () => Promise<Body>,
  { store, rules, onError }: Handling,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  let met: { readonly request: ReadyRequest; readonly body?: Uint8Array } | undefined
  try {
    const malformed = whyMalformed(request)
    if (malformed !== undefined)
      return textAnswer(malformed.status, malformed.message, { Connection: "close" })
    const judged = judgeRequest(requestHeadOf(request), store, rules)
    if (judged.kind === "answered") return judged.answer
    met = judged
    const came: Body = met.request.takesBody ? await body() : { kind: "whole", bytes: new Uint8Array(0) }
    if (came.kind === "cut") return undefined
    if (came.kind === "tooLarge") return told(met.request, tooLarge(rules.maxBodyBytes))
    if (came.kind === "stalled") return told(met.request, tooSlow())
    met = { request: met.request, body: came.bytes }
    return await answerRequest(met.request, came.bytes, store, rules, signal)
  } catch (error) {
    // What ends because nobody waits for it is no fault.
    if (signal.aborted) return undefined
    if (!(error instanceof StoreUnavailable)) onError(error)
    const answer = error instanceof StoreUnavailable ? unavailable(error) : unforeseen()
    return met === undefined ? answer : told(met.request, answer, met)
  }
}

/** Where it stands in its body nobody knows, so that nothing else can follow on the connection. */
function tooSlow(): Answer {
  return textAnswer(408, "Send the body without a pause: it did not come in time.", { Connection: "close" })
}

function unavailable({ message }: StoreUnavailable): Answer {
  return textAnswer(503, `Try again in a moment: ${message}`, { "Retry-After": retryAfterS })
}

function unforeseen(): Answer {
  return textAnswer(500, "Try again, and look into the log of the server: something unforeseen happened.")
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  // What was found wrong with the rest of a request may have been answered by the server.
  if (response.headersSent) return
  response.writeHead(status, headers)
  response.end(body)
}

/** Until the answer is out, or its connection is gone. */
function untilClosed({ socket }: IncomingMessage, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      response.off("close", over)
      socket.off("close", over)
      resolve()
    }
    if (socket.destroyed) return resolve()
    response.once("close", over)
    // A response that waits for the one before it has no connection yet, and is not told of its end.
    socket.once("close", over)
  })
}
