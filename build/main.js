// node build/main.js <TypeScript project>...: compiles what changed of these projects, and bundles the pages that changed.
// JavaScript, as it runs before anything is compiled, and at each `npm start`.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { makeFrom } from "./make-from.js"
import { inputsOf, pages } from "./page.js"
import { step } from "./step.js"

const root = resolve(import.meta.dirname, "..")
const projects = process.argv.slice(2)
const command = join(root, "cli/dist/main.js")

try {
  const compiling = { doing: "Compiling what changed (everything, the first time)", done: "Compiled" }
  await step(compiling, () => run("tsc", ["-b", ...projects]))
  // npx makes it so only when it meets a folder for the first time: not where one was cloned or compiled anew.
  if (existsSync(command)) chmodSync(command, 0o755)
  const bundling = { doing: "Bundling the pages", done: "Bundled the pages" }
  await step(bundling, async () => {
    for (const page of pages) await makeFrom({ root, ...bundled(page), make: () => bundle(page) })
  })
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}

/** @param {string} page */
function bundled(page) {
  // Vite makes a page for developers where it says so.
  return { inputs: inputsOf(page), setting: process.env.NODE_ENV ?? "", out: `${page}/dist` }
}

/** @param {string} page */
function bundle(page) {
  return run("vite", ["build", page, "--config", "build/vite.config.ts", "--logLevel", "warn"])
}

/**
 * @param {string} program One of node_modules/.bin. Says itself what is wrong.
 * @param {readonly string[]} args
 */
async function run(program, args) {
  const file = join(root, "node_modules/.bin", program)
  if (!existsSync(file)) throw new Error(`${program} is not installed. Run: npm ci`)
  const [code] = await once(spawn(file, args, { cwd: root, stdio: "inherit" }), "exit")
  if (code !== 0) throw new Error(`${program} failed.`)
}
