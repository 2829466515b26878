import { readFileSync } from "node:fs"
import { AppError } from "@serialcast/contract"
import type { WebreplConfig } from "@serialcast/service-kit"
import { maxPasswordBytes } from "../login/password-reader.ts"

/** What a listener reads from files. */
export interface ListenerSecrets {
  readonly password: Uint8Array
  /** PEM; null: clients come without TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | null
}

/** `at`: which entry of `webrepl` it is, for messages. Throws `bad_config`. */
export function readSecrets({ password, tls }: WebreplConfig, at: number): ListenerSecrets {
  const name = (key: string) => `webrepl.${at}.${key}`
  const text =
    "text" in password ? password.text : readText(password.file, name("password.file")).replace(/\r?\n$/, "")
  return {
    password: checkPassword(text, name("password")),
    tls:
      tls === null
        ? null
        : { cert: readText(tls.cert, name("tls.cert")), key: readText(tls.key, name("tls.key")) },
  }
}

function checkPassword(text: string, name: string): Uint8Array {
  const password = new TextEncoder().encode(text)
  const isOneLine = !/[\r\n]/.test(text)
  if (password.byteLength > 0 && password.byteLength <= maxPasswordBytes && isOneLine) return password
  const found =
    password.byteLength === 0 ? "nothing" : isOneLine ? `${password.byteLength} bytes` : "several lines"
  throw new AppError(
    "bad_config",
    `${name}: expected a password of 1 to ${maxPasswordBytes} bytes on one line, found ${found}.`,
  )
}

function readText(file: string, name: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT"
    const reason = isMissing ? "does not exist" : `cannot be read: ${String(cause)}`
    throw new AppError("bad_config", `${name}: ${file} ${reason}.`, { cause })
  }
}
