import { readFileSync } from "node:fs"
import { AppError } from "@serialcast/contract"
import type { Config, ResourcesConfig } from "@serialcast/service-kit"
import type { ReadyWebhook } from "./webhooks/webhooks.ts"

/** What the resource server reads of the configuration. */
export interface ResourceServerConfig extends Omit<ResourcesConfig, "tls" | "webhooks"> {
  /** PEM; undefined: clients come without TLS. */
  readonly tls: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined
  readonly webhooks: readonly ReadyWebhook[]
  /** Names besides localhost under which browsers may address it. */
  readonly hosts: readonly string[]
}

// A message with its topic, and what a map costs for it.
const bytesOfOne = 1_024
// In base64.
const bytesOfByte = 1.4
// Half of it is for what the broker retains, and of that three quarters are not for states.
const shareOfBuffer = 0.375

/**
 * Throws `bad_config` when key, certificate or a secret cannot be read, and when there may be more than the embedded broker retains: it
 * passes on what it has no room for, and keeps it not.
 */
export function resourceServerConfig({ resources, access, broker }: Config): ResourceServerConfig {
  const { tls, webhooks, ...rest } = resources
  const neededBytes = (resources.maxUri * bytesOfOne + resources.maxBytes * bytesOfByte) / shareOfBuffer
  if (broker.url === null && neededBytes > broker.clientBufferBytes) {
    const needed = `${Math.ceil(neededBytes / 1024 / 1024)}MiB`
    const what = `${resources.maxUri} resources with ${resources.maxBytes} bytes of values`
    const message = `broker.clientBufferBytes: expected at least ${needed} for ${what} (resources.maxUri, resources.maxBytes).`
    throw new AppError("bad_config", message)
  }
  const files =
    tls === null
      ? undefined
      : { cert: read(tls.cert, "resources.tls.cert"), key: read(tls.key, "resources.tls.key") }
  const hooks = webhooks.map(({ secret, ...hook }, at) => ({
    ...hook,
    secret: readSecret(secret.file, `resources.webhooks.${at}.secret.file`),
  }))
  return { ...rest, tls: files, webhooks: hooks, hosts: access.hosts }
}

/** As short ones are guessed from a signature. */
const minSecretBytes = 16

/** Its one line, without the line end. */
function readSecret(file: string, name: string): Uint8Array {
  const text = new TextDecoder().decode(read(file, name)).replace(/\r?\n$/, "")
  const secret = new TextEncoder().encode(text)
  if (secret.byteLength >= minSecretBytes && !/[\r\n]/.test(text)) return secret
  const message = `${name}: expected one line of ${minSecretBytes} characters or more in ${file}, found `
  const found = secret.byteLength < minSecretBytes ? `${secret.byteLength}.` : "several lines."
  throw new AppError("bad_config", message + found)
}

function read(file: string, name: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new AppError("bad_config", `${name}: ${file} cannot be read: ${String(cause)}.`, { cause })
  }
}
