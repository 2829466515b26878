import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs"
import { dirname } from "node:path"
import { AppError } from "@serialcast/contract"
import type { Config } from "../config/config.ts"

const tokenBytes = 32
// Short ones can be guessed; the least that is accepted from a file that somebody wrote by hand.
const minTokenLength = 20
// Characters that need no escape in a link, a header or a shell command (RFC 3986 §2.3).
const tokenPattern = /^[A-Za-z0-9._~-]+$/

/** The access token of the configuration; null when none is asked for. Throws `bad_config`. */
export function loadToken({ access }: Config): string | null {
  return access.tokenFile === null ? null : readToken(access.tokenFile)
}

/** What is to be done about a token file that other users of the machine can read; null: nothing. */
export function tokenFileAdvice({ access: { tokenFile } }: Config): string | null {
  if (tokenFile === null || (statSync(tokenFile).mode & 0o077) === 0) return null
  return `Other users of this machine can read the access token: chmod 600 ${tokenFile}`
}

/** The token in `file`, without the line end. Throws `bad_config` when there is none that can be used. */
export function readToken(file: string): string {
  const token = readText(file).trim()
  if (token.length < minTokenLength || !tokenPattern.test(token)) {
    throw new AppError(
      "bad_config",
      `access.tokenFile: expected ${minTokenLength} or more letters, digits and . _ ~ - in ${file}, ` +
        `found ${token.length === 0 ? "an empty file" : "something else"}.`,
    )
  }
  return token
}

export interface TokenFile {
  readonly token: string
  /** False when the file was there already. */
  readonly created: boolean
}

/**
 * Creates `file` with a random token of 256 bits in base64url, readable by its owner only; keeps one that is there.
 * Any number of processes may do this at once: all answer the same token. Throws `bad_config`.
 */
export function createTokenFile(file: string): TokenFile {
  if (existsSync(file)) return { token: readToken(file), created: false }
  const draft = `${file}.${randomBytes(8).toString("hex")}`
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeDraft(draft, randomBytes(tokenBytes).toString("base64url"))
    const created = publish(draft, file)
    return { token: readToken(file), created }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError("bad_config", `access.tokenFile: ${file} cannot be created: ${String(cause)}.`, {
      cause,
    })
  }
}

/**
 * With what a service logs in to this gateway's own broker under its name. It opens nothing but the broker, and whoever reads
 * it on the network does not learn the access token.
 */
export function brokerPassword(token: string, username: string): string {
  return createHmac("sha256", token).update(`serialcast broker ${username}`).digest("base64url")
}

/** Compares in a time that says nothing about where the two differ. */
export function tokensMatch(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

function writeDraft(draft: string, token: string): void {
  const descriptor = openSync(draft, "wx", 0o600)
  try {
    writeFileSync(descriptor, `${token}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** A link, other than a rename, appears whole and never replaces what another process created meanwhile. */
function publish(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false
    throw error
  } finally {
    unlinkSync(draft)
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT"
    const reason = isMissing ? "does not exist" : `cannot be read: ${String(cause)}`
    throw new AppError(
      "bad_config",
      `access.tokenFile: ${file} ${reason}. The init service creates it, or write a random token into it.`,
      { cause },
    )
  }
}
