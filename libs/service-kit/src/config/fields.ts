import { maxPayloadBytes, namePattern } from "@serialcast/contract"
import { z } from "zod"
import { parseByteSize } from "./byte-size.ts"
import type { ListenAddress } from "./config.ts"
import { parseDuration } from "./duration.ts"
import { parseListenAddress } from "./listen-address.ts"

const expectedName =
  "expected a name: a-z, 0-9, _ and -, starting with a letter or digit, at most 64 characters"
export const name = z.string(expectedName).regex(namePattern, expectedName).meta({ format: "name" })

export const filePath = z.string().min(1).meta({ format: "path" })

/** Marks the keys that open a listener, for the check of who can reach it. */
export const listenFormat = "host:port"

const expectedListen = "expected an address like 127.0.0.1:8080, [::1]:8080 or *:8080"
export const listenAddress = z
  .string(expectedListen)
  .transform(parsedBy(parseListenAddress, expectedListen))
  .meta({ format: listenFormat })

const expectedServer = "expected a server like 192.168.0.1:22, [::1]:22 or pi.local:22"
/** Where somebody else listens. */
export const serverAddress = z
  .string(expectedServer)
  .transform(parsedBy(parseServerAddress, expectedServer))
  .meta({ format: "address" })

const expectedAmount = "expected a size like 4KiB, 12MiB or 4096"
/** A number of bytes, from 0 on. */
export const byteAmount = z
  .union([z.string(), z.number().transform(String)], expectedAmount)
  .transform(parsedBy(parseByteSize, expectedAmount))
  .meta({ format: "size" })

const expectedSize = "expected a size of at least 64KiB, like 12MiB or 12582912"
export const byteSize = z
  .union([z.string(), z.number().transform(String)], expectedSize)
  .transform(parsedBy(parseByteSize, expectedSize))
  .refine((bytes) => bytes >= maxPayloadBytes, expectedSize)
  .meta({ format: "size" })

const expectedDuration = "expected a duration like 500ms, 5s, 12h or 30d"
export const duration = z
  .string(expectedDuration)
  .transform(parsedBy(parseDuration, expectedDuration))
  .meta({ format: "duration" })

const expectedAddress = "expected a device address like local/uno"
export const deviceAddress = z
  .string(expectedAddress)
  .refine((text) => text.split("/").length === 2 && text.split("/").every((part) => namePattern.test(part)), {
    error: expectedAddress,
  })
  .meta({ format: "gateway/device" })

function parseServerAddress(text: string): ListenAddress | undefined {
  const address = parseListenAddress(text)
  return address === undefined || address.host === "*" || address.port === 0 ? undefined : address
}

/** A zod transformation by `parse`, whose undefined is a problem. */
function parsedBy<T>(parse: (text: string) => T | undefined, expected: string) {
  return (text: string, context: z.core.$RefinementCtx): T => {
    const value = parse(text)
    if (value !== undefined) return value
    context.issues.push({ code: "custom", message: expected, input: text })
    return z.NEVER
  }
}
