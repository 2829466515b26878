import { createHash } from "node:crypto"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"

/**
 * @typedef {object} Making
 * @property {string} root Folder in which the paths below are.
 * @property {readonly string[]} inputs Files and folders that it is made of; one that is not there is an input too.
 * @property {string} setting What else decides how it comes out.
 * @property {string} out Folder that holds what is made, and nothing else.
 * @property {() => Promise<void>} make Makes it; empties `out` before.
 */

/** In `out`, of which it is no output: says from what that was made, and how it came out. */
const stamp = ".made-from"
/** Of what is beside the sources, what programs made. */
const derived = /^(?:node_modules|dist)$|\.tsbuildinfo$/

/**
 * Calls `make`, unless what is in `out` is what it made of the same inputs. Contents are compared, not times: those of a
 * checkout or a copy say nothing.
 *
 * @param {Making} making
 */
export async function makeFrom({ root, inputs, setting, out, make }) {
  const outputs = () => digestOf(root, [out])
  // Read before: a source that changes while it is made is found the next time.
  const madeOf = await digestOf(root, inputs, setting)
  const known = await readFile(join(root, out, stamp), "utf8").catch(() => "")
  if (known === `${madeOf} ${await outputs()}\n`) return
  await make()
  await writeFile(join(root, out, stamp), `${madeOf} ${await outputs()}\n`)
}

/**
 * @param {string} root
 * @param {readonly string[]} paths
 * @param {string} [setting]
 */
async function digestOf(root, paths, setting = "") {
  const files = (await Promise.all(paths.map((path) => filesIn(root, path)))).flat().sort()
  const contents = await Promise.all(files.map((file) => contentOf(join(root, file))))
  const hash = createHash("sha256").update(JSON.stringify([setting, files]))
  for (const content of contents) hash.update(`${content.byteLength}:`).update(content)
  return hash.digest("hex")
}

/**
 * @param {string} file
 * @returns {Promise<Uint8Array>} Nothing of what is gone by now, or of a link that leads nowhere.
 */
async function contentOf(file) {
  try {
    return await readFile(file)
  } catch (error) {
    if (codeOf(error) === "ENOENT") return new Uint8Array()
    throw error
  }
}

/**
 * @param {string} root
 * @param {string} path
 * @returns {Promise<string[]>} The files at and below `path`; none when nothing is there.
 */
async function filesIn(root, path) {
  try {
    const entries = await readdir(join(root, path), { withFileTypes: true })
    const sources = entries.filter(({ name }) => name !== stamp && !derived.test(name))
    const found = sources.map(async (entry) =>
      entry.isDirectory() ? await filesIn(root, `${path}/${entry.name}`) : [`${path}/${entry.name}`],
    )
    return (await Promise.all(found)).flat()
  } catch (error) {
    switch (codeOf(error)) {
      case "ENOENT":
        return []
      case "ENOTDIR":
        return [path]
      default:
        throw error
    }
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined
}
