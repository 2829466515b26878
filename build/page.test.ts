import { join, relative, resolve } from "node:path"
import { expect, test } from "vitest"
import { inputsOf, pages } from "./page.js"

const root = resolve(import.meta.dirname, "..")

test.each(pages)("every file that %s is bundled of is one of its inputs, or was installed", async (page) => {
  // Loaded here, because it takes half a second.
  const { build } = await import("vite")
  const ids = new Set<string>()
  const recorder = {
    name: "recorder",
    buildEnd(this: { getModuleIds(): Iterable<string> }) {
      for (const id of this.getModuleIds()) ids.add(id)
    },
  }
  await build({
    root: join(root, page),
    configFile: join(root, "build/vite.config.ts"),
    logLevel: "silent",
    build: { write: false },
    plugins: [recorder],
  })
  const files = [...ids].filter((id) => id.startsWith("/")).map((id) => relative(root, id))
  expect(files).toContain("libs/web-terminal/src/index.ts")
  const others = files.filter((file) => !file.startsWith("node_modules/"))
  expect(others.filter((file) => !inputsOf(page).some((input) => file.startsWith(`${input}/`)))).toEqual([])
})
