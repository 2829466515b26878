import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type BrowserContext, chromium } from "playwright-core"

/** Debian's package puts it there; other systems say where theirs is. */
const executablePath = "/usr/bin/chromium"

const args = [
  "--headless",
  // Containers and CI run as root, where Chromium's sandbox does not start.
  "--no-sandbox",
  "--disable-gpu",
  // It would look for its maker's servers at every start.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
]

export type OpenBrowser = BrowserContext & AsyncDisposable

/** A headless Chromium with an empty profile. */
export async function openBrowser(): Promise<OpenBrowser> {
  const profile = await mkdtemp(join(tmpdir(), "serialcast-browser-"))
  const context = await chromium.launchPersistentContext(profile, { executablePath, args })
  return Object.assign(context, {
    async [Symbol.asyncDispose]() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  })
}
