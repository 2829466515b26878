import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import express, { type Request, type Response, Router } from "express"
import { type LogInOptions, logIn } from "./log-in.ts"

/** Where `npm run build` puts the page; the same seen from src/http and from dist/http. */
export const builtPage = fileURLToPath(new URL("../../page/dist", import.meta.url))

const notBuilt = "The page is not built. Run `npm run build`, then load it again.\n"

export interface PageOptions extends LogInOptions {
  /** The folder of the built page. */
  readonly pageDir: string
}

/** The page and its files. They hold nothing secret, and without them nobody could log in: no token is needed. */
export function createPage(options: PageOptions): Router {
  const { pageDir } = options
  const router = Router()
  router.get("/", (request, response) => {
    const { token } = request.query
    if (typeof token !== "string" || isFromOtherSite(request)) return sendPage(response, pageDir)
    const refusal = logIn(options, token, request, response)
    // The page asks for another token; the address bar keeps the wrong one, so that it can be corrected.
    if (refusal !== null) return sendPage(response.status(refusal.status), pageDir)
    // Out of the address bar and the history.
    return response.redirect(303, ".")
  })
  // Names hold a hash of what is in the file, so a file never changes.
  router.use("/assets", express.static(`${pageDir}/assets`, { immutable: true, maxAge: "1y", index: false }))
  return router
}

/**
 * Pages of other sites may lead here, but not try tokens: the wrong ones would count against the person in front of the
 * browser. Someone who follows a link with the right one from such a page is asked for it.
 */
function isFromOtherSite(request: Request): boolean {
  const site = request.get("Sec-Fetch-Site") ?? "none"
  return site !== "none" && site !== "same-origin"
}

function sendPage(response: Response, pageDir: string): void {
  response.set("Cache-Control", "no-store")
  if (existsSync(`${pageDir}/index.html`))
    response.sendFile("index.html", { root: pageDir, cacheControl: false })
  else response.status(503).type("text/plain").send(notBuilt)
}
