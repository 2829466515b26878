import { AppError } from "@serialcast/contract"
import { type Clock, systemClock } from "@serialcast/primitives"
import { createAttemptLimiter } from "./attempt-limiter.ts"
import { whyNotHeaders } from "./header-check.ts"
import { whyNotHost } from "./host-check.ts"
import { createLoginCookie } from "./login-cookie.ts"
import { networkOf } from "./network-of.ts"
import type { Refusals } from "./refusals.ts"
import { type GuardedRequest, type SiteCheckOptions, whyNotOwnPage, whyNotSite } from "./site-check.ts"
import { tokensMatch } from "./token.ts"

export interface RequestGuardOptions {
  /** null: the host and the site decide alone. */
  readonly token: string | null
  /** `access.hosts` of the configuration. */
  readonly hosts: readonly string[]
  readonly clock?: Clock
  /** Is told of every refusal. */
  readonly refusals?: Refusals
  /** Whether the log-in of a page opens this too; not where others decide what is served. Default: it does. */
  readonly acceptsCookie?: boolean
}

/** Decides whether a request or a WebSocket handshake may be served. */
export interface RequestGuard {
  /**
   * null, or why the request is refused: `headers_too_large`, `bad_request`, `bad_host`, `cross_site`, `unauthorized`,
   * `too_many_attempts`.
   */
  whyNot(request: GuardedRequest, options?: SiteCheckOptions): AppError | null
  /**
   * Judges a token that a request brings elsewhere than in a header, as a log-in form or link does. null: it is right.
   * A token that a page of another site sent is `cross_site` and not judged.
   */
  whyNotToken(given: string, request: GuardedRequest): AppError | null
}

/** The checks of every HTTP listener that reaches devices, in the order in which each relies on the one before. */
export function createRequestGuard(options: RequestGuardOptions): RequestGuard {
  const { token, hosts, clock = systemClock, refusals, acceptsCookie = true } = options
  const limiter = createAttemptLimiter({ clock })
  const login = token === null ? null : createLoginCookie(token)
  const judgeToken = (given: string, request: GuardedRequest) => {
    // Compared first: clients behind one address must not lock each other out. A guess stays hopeless without any
    // limit, as a token has at least 20 characters; the limit is for those who try, and for the log.
    if (token === null || tokensMatch(given, token)) return null
    const source = networkOf(request.socket?.remoteAddress)
    if (limiter.isBlocked(source)) {
      return new AppError("too_many_attempts", "This address has sent too many wrong access tokens.")
    }
    limiter.recordFailure(source)
    return new AppError("unauthorized", "Expected the access token; found another one.")
  }
  const whyNotCredentials = (request: GuardedRequest, options: SiteCheckOptions) => {
    const { authorization, cookie } = request.headers
    if (login === null) return null
    const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]
    // A page of another site cannot send this header, which is why it needs no more; the cookie goes along by itself.
    if (bearer !== undefined) return judgeToken(bearer, request)
    return acceptsCookie && login.matches(cookie)
      ? whyNotOwnPage(request, options)
      : new AppError("unauthorized", "Expected the access token; found none.")
  }
  const told = (request: GuardedRequest, refusal: AppError | null) => {
    if (refusal !== null) refusals?.report(request.socket?.remoteAddress, refusal)
    return refusal
  }
  return {
    whyNot: (request, options = {}) =>
      told(
        request,
        whyNotHeaders(request.rawHeaders ?? []) ??
          whyNotHost(request, hosts) ??
          whyNotSite(request, options) ??
          whyNotCredentials(request, options),
      ),
    whyNotToken: (given, request) => told(request, whyNotSite(request) ?? judgeToken(given, request)),
  }
}
