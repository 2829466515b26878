import { join, relative, resolve } from "node:path"
import { expect, test } from "vitest"
import { page, pageInputs } from "./page.js"

const root = resolve(import.meta.dirname, "..")

test("every file that the page is bundled of is one of its inputs, or was installed", async () => {
  // Loaded here, because it takes half a second.
  const { build } = await import("vite")
  const ids = new Set<string>()
  const recorder = {
    name: "recorder",
    buildEnd(this: { getModuleIds(): Iterable<string> }) {
      for (const id of this.getModuleIds()) ids.add(id)
    },
  }
  await build({ root: join(root, page), logLevel: "silent", build: { write: false }, plugins: [recorder] })
  const files = [...ids].filter((id) => id.startsWith("/")).map((id) => relative(root, id))
  expect(files).toContain("libs/primitives/src/index.ts")
  const others = files.filter((file) => !file.startsWith("node_modules/"))
  expect(others.filter((file) => !pageInputs.some((input) => file.startsWith(`${input}/`)))).toEqual([])
})
