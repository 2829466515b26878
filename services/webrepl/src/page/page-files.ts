import { readdirSync, readFileSync } from "node:fs"
import { extname } from "node:path"
import { fileURLToPath } from "node:url"
import { httpAnswer } from "../handshake/answers.ts"
import type { PageAnswer } from "../listen/serve-visitor.ts"

/** Where `npm run build` puts the page; the same seen from src/page and from dist/page. */
export const builtPage = fileURLToPath(new URL("../../page/dist", import.meta.url))

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
}

/**
 * What the page may do: use its own files, and open WebSockets, wherever the address in its field leads. Scripts can never be
 * inline, so bytes of a board cannot become one; and no other site can frame it and steal keys or clicks.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // xterm.js writes its colours and sizes into <style> elements and style attributes, and takes no nonce.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self'",
  "connect-src 'self' ws: wss:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ")

const securityHeaders = {
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
}

interface PageFile {
  readonly type: string
  readonly body: Uint8Array
}

/**
 * The page of this service, as it is in `folder` now, for each `<gateway>/<device>`; it holds nothing secret. The files are the
 * same for all: beside them, `device.json` tells the page whose it is.
 */
export function createPage(folder: string): (device: string) => PageAnswer {
  const files = readFiles(folder)
  return (device) => {
    const told = { type: "application/json", body: new TextEncoder().encode(JSON.stringify({ device })) }
    const named = new Map([...files, ["device.json", told]])
    return answerFrom(named)
  }
}

function answerFrom(files: ReadonlyMap<string, PageFile>): PageAnswer {
  return ({ method, path }) => {
    if (method !== "GET" && method !== "HEAD")
      return plain("405 Method Not Allowed", "Expected GET or HEAD.", method, { Allow: "GET, HEAD" })
    const name = path === "/" ? "index.html" : path.slice(1)
    const file = files.get(name)
    // Names of assets hold a hash of what is in the file, so that it never changes.
    const isAsset = name.startsWith("assets/")
    if (file !== undefined)
      return found(file, isAsset ? "public, max-age=31536000, immutable" : "no-store", method)
    if (path !== "/") return plain("404 Not Found", "There is nothing here; the page is at /.", method)
    return plain(
      "503 Service Unavailable",
      "The page is not built. Run `npm run build`, then start again.",
      method,
    )
  }
}

function readFiles(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>()
  for (const entry of readEntries(folder)) {
    const type = types[extname(entry)]
    if (type !== undefined) files.set(entry, { type, body: readFileSync(`${folder}/${entry}`) })
  }
  return files
}

/** Names from the folder on; none when there is no such folder. */
function readEntries(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw error
  }
}

function found({ type, body }: PageFile, cacheControl: string, method: string): Uint8Array {
  const headers = { "Content-Type": type, "Cache-Control": cacheControl, ...securityHeaders }
  return httpAnswer({ status: "200 OK", headers, body }, method)
}

function plain(status: string, sentence: string, method: string, more: object = {}): Uint8Array {
  const headers = { "Content-Type": "text/plain; charset=utf-8", ...securityHeaders, ...more }
  return httpAnswer({ status, headers, body: new TextEncoder().encode(`${sentence}\n`) }, method)
}
