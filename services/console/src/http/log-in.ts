import { AppError } from "@serialcast/contract"
import { createLoginCookie, type RequestGuard } from "@serialcast/service-kit"
import express, { type Request, type Response, Router } from "express"

export interface LogInOptions {
  readonly guard: RequestGuard
  /** null: nobody needs one, and every log-in succeeds. */
  readonly token: string | null
}

/** `POST /login` with `{token}` as JSON or as a form: 204 and the session cookie, or a problem document. */
export function createLogIn(options: LogInOptions): Router {
  const router = Router()
  const limit = "4kb"
  router.post("/login", express.json({ limit }), express.urlencoded({ extended: false, limit }))
  router.post("/login", (request, response) => {
    const refusal = logIn(options, tokenOf(request.body), request, response)
    if (refusal !== null) throw refusal
    response.status(204).end()
  })
  return router
}

/** Sets the session cookie when `token` is right; the guard counts the wrong ones. */
export function logIn(
  { guard, token: expected }: LogInOptions,
  token: string,
  request: Request,
  response: Response,
): AppError | null {
  if (expected === null) return null
  const refusal = guard.whyNotToken(token, request)
  if (refusal === null) response.set("Set-Cookie", createLoginCookie(expected).cookie())
  return refusal
}

function tokenOf(body: unknown): string {
  if (typeof body === "object" && body !== null && "token" in body && typeof body.token === "string") {
    return body.token
  }
  throw new AppError("bad_request", "A log-in needs `token` as text, in JSON or a form.")
}
