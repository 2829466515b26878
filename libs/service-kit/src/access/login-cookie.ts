import { createHmac } from "node:crypto"
import { tokensMatch } from "./token.ts"

const cookieName = "serialcast_session"
/** A browser has one, and may have another that was set for a parent domain. */
const mostCookies = 4

/** What shows that a browser has logged in. Proxies know the cookie as `serialcast_session`: the name stays. */
export interface LoginCookie {
  /** Value of the `Set-Cookie` header that logs a browser in until it is closed. */
  cookie(): string
  /** Whether a `Cookie` header carries it. */
  matches(cookieHeader: string | undefined): boolean
}

/**
 * The cookie of everyone who knows `token`. It is derived from the token, so every replica knows it without asking
 * another, a new token ends it, and the token itself never is in a browser.
 */
export function createLoginCookie(token: string): LoginCookie {
  const value = createHmac("sha256", token).update("serialcast session v1").digest("base64url")
  const couldBeIt = (pair: string) =>
    pair.length === cookieName.length + 1 + value.length && pair.startsWith(`${cookieName}=`)
  return {
    // No `Secure`: the services speak plain HTTP, and browsers would then drop it everywhere but on localhost.
    cookie: () => `${cookieName}=${value}; HttpOnly; SameSite=Strict; Path=/`,
    matches: (cookieHeader = "") =>
      cookieHeader
        .split(";")
        .map((pair) => pair.trim())
        // Of the right length, which is no secret: only those are worth a comparison in constant time.
        .filter(couldBeIt)
        .slice(0, mostCookies)
        .some((pair) => tokensMatch(pair.slice(cookieName.length + 1), value)),
  }
}
