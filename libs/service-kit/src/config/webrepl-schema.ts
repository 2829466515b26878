import { z } from "zod"
import type { WebreplConfig } from "./config.ts"
import { deviceAddress, filePath, listenAddress } from "./fields.ts"
import { tlsFiles } from "./tls-files.ts"

const expectedPassword =
  "expected a password, as `{ file: /path/of/a/file }` or `{ text: … }`: without one everybody could use the board"
const expectedText = "expected text that is not empty; digits alone are text in quotes"

const password = z
  .strictObject(
    {
      file: filePath.optional().describe("File whose one line is the password that clients log in with; or"),
      text: z
        .string(expectedText)
        .min(1, expectedText)
        .optional()
        .describe("the password itself, of up to 256 bytes"),
    },
    expectedPassword,
  )
  .transform(({ file, text }, context) => {
    if (file !== undefined && text === undefined) return { file }
    if (text !== undefined && file === undefined) return { text }
    context.issues.push({ code: "custom", message: expectedPassword, input: text })
    return z.NEVER
  })

const expectedHost = "expected the URL of a folder, like https://micropython.org/webrepl/"
const staticHost = z.string(expectedHost).refine(isWebFolder, expectedHost).meta({ format: "url" })

/** One entry of `webrepl`. */
export const webreplSchema: z.ZodType<WebreplConfig> = z.strictObject({
  listen: listenAddress
    .prefault("127.0.0.1:8266")
    .describe(
      "Where the board's WebREPL listens: one port for each board, as the clients name no other thing",
    ),
  device: deviceAddress.describe("The board, as `<gateway>/<device>`"),
  password,
  watchers: z
    .number()
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe("How many more clients may log in and only read while one has the board"),
  takeOver: z
    .boolean()
    .default(false)
    .describe(
      "Whether who logs in takes the place of the client that has the board, which is told and closed; nobody watches then",
    ),
  staticHost: staticHost
    .nullable()
    .default(null)
    .describe("Where browsers get the page from instead of from here, as a board's own WebREPL does"),
  debug: z.boolean().default(false).describe("Whether the heads of requests are logged"),
  tls: tlsFiles("pages then open `wss://` and `https://`")
    .nullable()
    .default(null)
    .describe("Clients come through TLS; `null`: they do not"),
})

/** What stands in an attribute of a document, and has file names put behind it. */
function isWebFolder(text: string): boolean {
  return /^https?:\/\/[^\s"<>]+\/$/.test(text) && URL.canParse(text)
}
