import { AppError } from "@serialcast/contract"
import { type AttemptLimiter, brokerPassword, tokensMatch } from "@serialcast/service-kit"

/** Where a connection comes from: from this process, or from an address on the network. */
export type Origin = { readonly kind: "process" } | { readonly kind: "network"; readonly address: string }

export interface LoginOptions {
  /** null: nobody needs one. */
  readonly token: string | null
  readonly limiter: AttemptLimiter
}

export interface Login {
  readonly origin: Origin
  readonly username: string | undefined
  readonly password: Uint8Array | undefined
}

/** A refused log-in with the CONNACK return code that tells the client (MQTT 3.1.1 §3.2.2.3). */
export interface LoginRefusal {
  readonly error: AppError
  readonly returnCode: 2 | 4 | 5
}

/**
 * Judges a CONNECT: the password must be the access token, whatever the user name, or a service's own password
 * (`brokerPassword`) with its name. Connections of this process are trusted. Only wrong passwords are counted and blocked:
 * behind a port mapping all clients have one address, and one of them must not lock the others out. undefined: welcome.
 */
export function judgeLogin(
  { origin, username, password }: Login,
  { token, limiter }: LoginOptions,
): LoginRefusal | undefined {
  if (token === null || origin.kind === "process") return undefined
  if (password === undefined) {
    const message = "Expected the access token as the MQTT password; found none."
    return { error: new AppError("unauthorized", message), returnCode: 5 }
  }
  const given = new TextDecoder().decode(password)
  // Both are looked at each time, so that the time it takes says nothing.
  const opens = [token, brokerPassword(token, username ?? "")].map((expected) => tokensMatch(given, expected))
  if (opens.includes(true)) return undefined
  if (limiter.isBlocked(origin.address)) {
    const message = "This address has sent too many wrong access tokens."
    return { error: new AppError("too_many_attempts", message), returnCode: 5 }
  }
  limiter.recordFailure(origin.address)
  const message = "Expected the access token as the MQTT password; found another one."
  return { error: new AppError("unauthorized", message), returnCode: 4 }
}
