import { concatBytes } from "@serialcast/primitives"
import type { Choices } from "./choices.ts"
import { encodeLatin1, encodeText, type Surface, several } from "./surface.ts"

const methods = [
  "GET",
  "POST",
  "PATCH",
  "DELETE",
  "PUT",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "get",
  "",
  "G\0T",
]

const device = "/api/v1/devices/local/d0"

const paths: readonly string[] = [
  "/",
  "/login",
  "/ws",
  "/ws/devices",
  "/healthz",
  "/readyz",
  "/metrics",
  "/api/v1/devices",
  "/api/v1/tunnels",
  device,
  ...["stream", "history", "write", "settings", "signals", "lease", "nothing"].map(
    (name) => `${device}/${name}`,
  ),
  `${device}/write?atomic=false`,
  `${device}/settings?now=true`,
  "/readbytes",
  "/writebytes/4865",
  "/devices/local/d0/writebytes/zz",
  "/assets/../../../etc/passwd",
  "/%2e%2e/%00",
  "/%",
  "//[",
  "http://evil.example/api/v1/devices",
  "*",
  "",
]

const parameters = [
  "from",
  "to",
  "stream",
  "encoding",
  "maxBytes",
  "ttlMs",
  "atomic",
  "now",
  "device",
  "token",
]
const bodies: readonly Readonly<Record<string, unknown>>[] = [
  { text: "AT", eol: "\r\n", ttlMs: 1_000 },
  { hex: "48656c6c6f" },
  { base64: "SGVsbG8=" },
  { baudRate: 9_600, parity: "none" },
  { dtr: true, rts: false },
  { macro: "D0R1|W0.01|R0" },
  { ttlMs: 100 },
  { token: "a-token-of-many-letters" },
]

/** Requests with all that may be wrong in their lines, headers and bodies, pipelined and cut off, to every HTTP listener. */
export function hostileHttp(ports: readonly number[]): Surface {
  return {
    name: "HTTP",
    next: (choices) => ({
      port: choices.pick(ports),
      inputs: several(choices, 12, () => request(choices)),
    }),
  }
}

function request(choices: Choices): Uint8Array {
  const { head, body } = bodyOf(choices)
  const version = choices.chance(0.95)
    ? "HTTP/1.1"
    : choices.pick(["HTTP/1.0", "HTTP/2.0", "HTTP/9", "", "FTP"])
  const method = choices.chance(0.7) ? choices.pick(["GET", "POST"]) : choices.pick(methods)
  const lines = [`${method} ${target(choices)} ${version}`, ...headers(choices), ...head, "", ""]
  const whole = concatBytes([encodeLatin1(lines.join(choices.chance(0.98) ? "\r\n" : "\n")), body])
  return choices.chance(0.15) ? choices.mutateBytes(whole) : whole
}

function target(choices: Choices): string {
  const path = choices.pick(paths)
  if (choices.chance(0.002)) return `/${"a".repeat(70_000)}`
  if (choices.chance(0.5)) return path
  const query = several(choices, 3, () => {
    const value = choices.pick([
      choices.encodedText(),
      choices.text(),
      String(choices.number()),
      "start",
      "-10",
      "lines",
    ])
    return `${choices.pick(parameters)}=${value}`
  })
  return `${path}${path.includes("?") ? "&" : "?"}${query.join("&")}`
}

function headers(choices: Choices): string[] {
  const host = choices.chance(0.9)
    ? "localhost"
    : choices.pick(["127.0.0.1", "evil.example", "", "[::1", "a b"])
  const odd = [
    "Origin: http://evil.example",
    "Sec-Fetch-Site: cross-site",
    "Authorization: Bearer x",
    "Cookie: serialcast=%zz; =; a",
    "Last-Event-ID: 0000000000000000-99999999999999999999",
    "Expect: 100-continue",
    "Expect: 200-never",
    "Upgrade: websocket\r\nConnection: Upgrade",
    "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQ",
    "Connection: close",
    "Range: bytes=0-0,-1",
    "Accept-Encoding: gzip;q=9",
    "If-None-Match: *",
    "Lease: \u00ff",
    "Bad Header: x",
    ": x",
    "\u0000: y",
    " folded",
    `X: ${"z".repeat(choices.chance(0.02) ? 90_000 : 300)}`,
  ]
  const chosen = Array.from({ length: choices.below(3) }, () => choices.pick(odd))
  return choices.chance(0.97) ? [`Host: ${host}`, ...chosen] : chosen
}

function bodyOf(choices: Choices): { readonly head: readonly string[]; readonly body: Uint8Array } {
  if (choices.chance(0.4)) return { head: [], body: new Uint8Array() }
  const json = choices.chance(0.7)
  const content = json
    ? encodeText(JSON.stringify(choices.mutateObject(choices.pick(bodies))) ?? "")
    : choices.bytes(5_000)
  const type = `Content-Type: ${choices.chance(0.8) ? "application/json" : choices.pick(["text/plain", "application/json; charset=utf-99", "x", ""])}`
  if (choices.chance(0.3))
    return { head: [type, "Transfer-Encoding: chunked"], body: chunked(choices, content) }
  const length = choices.chance(0.9) ? content.byteLength : choices.number()
  const encodings = choices.chance(0.95) ? [] : ["Content-Encoding: gzip", "Transfer-Encoding: gzip, chunked"]
  return { head: [type, `Content-Length: ${length}`, ...encodings], body: content }
}

function chunked(choices: Choices, content: Uint8Array): Uint8Array {
  const size = choices.chance(0.8)
    ? content.byteLength.toString(16)
    : choices.pick(["-1", "ffffffffffffffff", "g", "", "0x5", "5;ext=\u0000"])
  const end = choices.chance(0.8)
    ? "\r\n0\r\n\r\n"
    : choices.pick(["", "\r\n", "\r\n0\r\nTrailer: x\r\n\r\n", "\r\n0\r\n"])
  return concatBytes([encodeText(`${size}\r\n`), content, encodeText(end)])
}
