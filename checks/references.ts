import { readdir, readFile } from "node:fs/promises"
import { join, relative } from "node:path"
import type { Check } from "./check.ts"

/**
 * Each package's tsconfig.json references exactly the packages of this repository that its package.json depends on,
 * and the root's references all packages. npm hoists every package to the root, so neither the compiler nor Node
 * notices when one of them is missing.
 */
export const references: Check = {
  name: "references",
  async run({ root }) {
    const { workspaces = [] } = await readJson<Manifest>(join(root, "package.json"))
    const folders = (await Promise.all(workspaces.map((pattern) => expand(root, pattern)))).flat()
    const packages = await Promise.all(folders.map((folder) => readPackage(root, folder)))
    const folderOf = new Map(packages.map(({ name, folder }) => [name, folder]))
    return [
      ...compare("tsconfig.json", await referencedBy(root, "."), folders),
      ...packages.flatMap(({ folder, dependencies, referenced }) => {
        const wanted = dependencies.flatMap((name) => folderOf.get(name) ?? [])
        return compare(`${folder}/tsconfig.json`, referenced, wanted)
      }),
    ].join("\n")
  },
}

interface Manifest {
  readonly name: string
  readonly workspaces?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

interface Package {
  readonly name: string
  /** Relative to the root, like the ones referenced. */
  readonly folder: string
  readonly dependencies: readonly string[]
  readonly referenced: readonly string[]
}

/** The folders that a workspace pattern of package.json means: `libs/*` or the name of one. */
async function expand(root: string, pattern: string): Promise<readonly string[]> {
  if (!pattern.endsWith("/*")) return [pattern]
  const parent = pattern.slice(0, -2)
  const entries = await readdir(join(root, parent), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${parent}/${name}`)
}

async function readPackage(root: string, folder: string): Promise<Package> {
  const { name, dependencies, devDependencies } = await readJson<Manifest>(join(root, folder, "package.json"))
  return {
    name,
    folder,
    dependencies: Object.keys({ ...dependencies, ...devDependencies }),
    referenced: await referencedBy(root, folder),
  }
}

async function referencedBy(root: string, folder: string): Promise<readonly string[]> {
  const project = await readJson<{ references?: readonly { path: string }[] }>(
    join(root, folder, "tsconfig.json"),
  )
  return (project.references ?? []).map(({ path }) => relative(root, join(root, folder, path)))
}

function compare(file: string, found: readonly string[], wanted: readonly string[]): readonly string[] {
  return [
    ...wanted
      .filter((path) => !found.includes(path))
      .map((path) => `${file}: reference to ${path} is missing`),
    ...found.filter((path) => !wanted.includes(path)).map((path) => `${file}: ${path} is no dependency`),
  ]
}

async function readJson<T>(file: string): Promise<T> {
  // These are this repository's own files: a wrong shape shows itself as a failing check.
  return JSON.parse(await readFile(file, "utf8")) as T
}
