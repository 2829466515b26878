import { AppError } from "@serialcast/contract"
import { type Clock, systemClock } from "@serialcast/primitives"
import { createAttemptLimiter } from "./attempt-limiter.ts"
import { checkHost } from "./host-check.ts"
import { createSession } from "./session.ts"
import { checkSite, type GuardedRequest, type SiteCheckOptions } from "./site-check.ts"
import { tokensMatch } from "./token.ts"

export interface RequestGuardOptions {
  /** null: the host and the site decide alone. */
  readonly token: string | null
  /** `access.hosts` of the configuration. */
  readonly hosts: readonly string[]
  readonly clock?: Clock
}

/** Decides whether a request or a WebSocket handshake may be served. */
export interface RequestGuard {
  /** null, or why the request is refused: `bad_host`, `cross_site`, `unauthorized`, `too_many_attempts`. */
  check(request: GuardedRequest, options?: SiteCheckOptions): AppError | null
  /** Judges a token that a request brings elsewhere than in a header, as a log-in form does. null: it is right. */
  checkToken(given: string, request: GuardedRequest): AppError | null
}

/** The checks of every HTTP listener that reaches devices, in the order in which each relies on the one before. */
export function createRequestGuard({ token, hosts, clock = systemClock }: RequestGuardOptions): RequestGuard {
  const limiter = createAttemptLimiter({ clock })
  const session = token === null ? null : createSession(token)
  const checkToken = (given: string, request: GuardedRequest) => {
    if (token === null) return null
    const source = request.socket?.remoteAddress ?? "unknown"
    if (limiter.isBlocked(source)) {
      return new AppError("too_many_attempts", "This address has sent too many wrong access tokens.")
    }
    if (tokensMatch(given, token)) return null
    limiter.recordFailure(source)
    return new AppError("unauthorized", "Expected the access token; found another one.")
  }
  const checkCredentials = (request: GuardedRequest) => {
    const { authorization, cookie } = request.headers
    if (session === null || session.matches(cookie)) return null
    const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]
    return bearer === undefined
      ? new AppError("unauthorized", "Expected the access token; found none.")
      : checkToken(bearer, request)
  }
  return {
    check: (request, options = {}) =>
      checkHost(request.headers.host, hosts) ?? checkSite(request, options) ?? checkCredentials(request),
    checkToken,
  }
}
