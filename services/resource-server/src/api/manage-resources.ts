import { AppError } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import {
  type Change,
  checkChange,
  encodeUri,
  type Outcome,
  ResourceError,
  readBody,
} from "@serialcast/resources"
import { answerError, type Logger, refuseMethod } from "@serialcast/service-kit"
import express, { type Express, type NextFunction, type Request, type Response } from "express"
import type { BrokerStore } from "../replica/broker-store.ts"
import { describeResource, parseAdd, parsePatch } from "./resource-json.ts"

export interface ManagementDeps {
  readonly store: BrokerStore
  readonly clock: Clock
  readonly log: Logger
  /** Of one value, in bytes. */
  readonly maxBody: number
}

// A value in JSON may take six characters for a byte.
const jsonFactor = 6
const bodyTimeoutMs = 5_000
const bodyDeadlineMs = 60_000

/** `/api/v1/resources`: which there are, and what programs may do with them. */
export function createManagement(deps: ManagementDeps): Express {
  const app = express()
  app.disable("x-powered-by")
  app.disable("etag")
  app.use((_request, response, next) => {
    response.setHeader("X-Content-Type-Options", "nosniff")
    response.setHeader("Cache-Control", "no-store")
    next()
  })
  app
    .route("/api/v1/resources")
    .get((request, response) => listResources(request, response, deps))
    .post((request, response) => addResource(request, response, deps))
    .patch((request, response) => patchResource(request, response, deps))
    .delete((request, response) => deleteResource(request, response, deps))
    .all((request, response) =>
      refuseMethod(response, { method: request.method, allow: "DELETE, GET, HEAD, PATCH, POST" }),
    )
  app.use((request) => {
    throw new AppError("unknown_path", `There is nothing at ${JSON.stringify(request.path.slice(0, 200))}.`)
  })
  // Express tells an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) =>
    answerError(fromResources(error), response, deps.log),
  )
  return app
}

/** `?uriStart=/a` finds `/ab` too, as the original; `&by=segment` does not. */
function listResources(request: Request, response: Response, { store }: ManagementDeps): void {
  const start = textOf(request, "uriStart") ?? ""
  const by = textOf(request, "by") ?? "text"
  if (by !== "text" && by !== "segment")
    throw new AppError(
      "bad_request",
      `Expected text or segment as by; found ${JSON.stringify(by.slice(0, 100))}.`,
    )
  const below = start.endsWith("/") ? start : `${start}/`
  const found = store.list(start).filter(({ uri }) => by === "text" || uri === start || uri.startsWith(below))
  response.json({ resources: found.map(describeResource) })
}

async function addResource(request: Request, response: Response, deps: ManagementDeps): Promise<void> {
  const add = parseAdd(await bodyOf(request, deps))
  if (isReserved(add.uri))
    throw new AppError(
      "bad_request",
      `Expected a uri outside of /api; found ${JSON.stringify(add.uri.slice(0, 100))}.`,
    )
  if (add.value.byteLength > deps.maxBody)
    throw new AppError("too_large", `A value has at most ${deps.maxBody} bytes.`)
  const { resource } = await change(add, deps)
  response.status(201).location(encodeUri(resource.uri)).json(describeResource(resource))
}

async function patchResource(request: Request, response: Response, deps: ManagementDeps): Promise<void> {
  const uri = uriOf(request)
  const found = deps.store.get(uri)
  if (found === undefined) throw unknown(uri)
  const { resource } = await change(parsePatch(await bodyOf(request, deps), found), deps)
  response.json(describeResource(resource))
}

async function deleteResource(request: Request, response: Response, deps: ManagementDeps): Promise<void> {
  const recursive = ["1", "true"].includes(textOf(request, "recursive") ?? "")
  await change({ kind: "remove", uri: uriOf(request), recursive, ifMatch: null }, deps)
  response.status(204).end()
}

async function change(
  wanted: Change,
  { store }: ManagementDeps,
): Promise<Extract<Outcome, { readonly kind: "done" }>> {
  checkChange(wanted)
  const outcome = await store.apply(wanted)
  if (outcome.kind === "done") return outcome
  switch (outcome.why) {
    case "unknown":
      throw unknown(outcome.uri)
    case "full":
      throw new AppError("resources_full", "There is no room for another resource.")
    case "exists":
      throw new AppError("resource_exists", `There is a resource ${JSON.stringify(outcome.uri)} already.`)
    case "precondition":
    case "method":
      throw new AppError("precondition_failed", `${JSON.stringify(outcome.uri)} is not as expected.`)
  }
}

async function bodyOf(request: Request, { clock, maxBody }: ManagementDeps): Promise<Uint8Array> {
  const maxBytes = maxBody * jsonFactor
  const body = await readBody(request, {
    clock,
    maxBytes,
    timeoutMs: bodyTimeoutMs,
    deadlineMs: bodyDeadlineMs,
  })
  switch (body.kind) {
    case "whole":
      return body.bytes
    case "tooLarge":
      throw new AppError("too_large", `Expected at most ${maxBytes} bytes.`)
    case "stalled":
      throw new AppError("too_slow", "Expected the body without pauses of 5 s.")
    case "cut":
      throw new AppError("cancelled", "The client went away.")
  }
}

/** Of the management itself; a resource there would never be seen. */
function isReserved(uri: string): boolean {
  return uri === "/api" || uri.startsWith("/api/")
}

function uriOf(request: Request): string {
  const uri = textOf(request, "uri")
  if (uri !== undefined) return uri
  throw new AppError("bad_request", "Expected the resource as ?uri=/its/address; found none.")
}

function textOf({ query }: Request, name: string): string | undefined {
  const found = query[name]
  if (found === undefined || typeof found === "string") return found
  throw new AppError("bad_request", `Expected ${name} once.`)
}

function unknown(uri: string): AppError {
  return new AppError("unknown_resource", `There is no resource ${JSON.stringify(uri.slice(0, 200))}.`)
}

/** What the library says in its own words. */
function fromResources(error: unknown): unknown {
  if (!(error instanceof ResourceError)) return error
  const code = error.code === "store_unavailable" ? "broker_offline" : "bad_request"
  return new AppError(code, error.message, { cause: error })
}
