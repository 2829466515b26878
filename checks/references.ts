import { existsSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { join, relative } from "node:path"
import type { Check } from "./check.ts"

const testProject = "tsconfig.test.json"

/**
 * Each package's tsconfig.json references exactly the packages of this repository that its package.json depends on; its
 * tsconfig.test.json, the package itself and those that only its tests need as well; and the root's references all of
 * these. npm hoists every package to the root, so neither the compiler nor Node notices when one of them is missing.
 */
export const references: Check = {
  name: "references",
  async run({ root }) {
    const { workspaces = [] } = await readJson<Manifest>(join(root, "package.json"))
    const folders = (await Promise.all(workspaces.map((pattern) => expand(root, pattern)))).flat()
    const packages = await Promise.all(folders.map((folder) => readPackage(root, folder)))
    const folderOf = new Map(packages.map(({ name, folder }) => [name, folder]))
    const foldersOf = (names: readonly string[]) => names.flatMap((name) => folderOf.get(name) ?? [])
    const tested = packages.filter(({ referencedByTests }) => referencedByTests !== null)
    const projects = [...folders, ...tested.map(({ folder }) => `${folder}/${testProject}`)]
    return [
      ...compare("tsconfig.json", (await referencedBy(root, ".")) ?? [], projects),
      ...packages.flatMap(({ folder, dependencies, devDependencies, referenced, referencedByTests }) => {
        const needed = foldersOf(dependencies)
        const neededByTests = [...needed, ...foldersOf(devDependencies)]
        // A package without a project for its tests has them in its only one: it is all tests, or has none.
        if (referencedByTests === null) return compare(`${folder}/tsconfig.json`, referenced, neededByTests)
        return [
          ...compare(`${folder}/tsconfig.json`, referenced, needed),
          ...compare(`${folder}/${testProject}`, referencedByTests, [folder, ...neededByTests]),
        ]
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
  readonly devDependencies: readonly string[]
  readonly referenced: readonly string[]
  /** null: its tests have no project of their own. */
  readonly referencedByTests: readonly string[] | null
}

/** The folders that a workspace pattern of package.json means: `libs/*` or the name of one. */
async function expand(root: string, pattern: string): Promise<readonly string[]> {
  if (!pattern.endsWith("/*")) return [pattern]
  const parent = pattern.slice(0, -2)
  const entries = await readdir(join(root, parent), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${parent}/${name}`)
}

async function readPackage(root: string, folder: string): Promise<Package> {
  const manifest = await readJson<Manifest>(join(root, folder, "package.json"))
  const { name, dependencies = {}, devDependencies = {} } = manifest
  return {
    name,
    folder,
    dependencies: Object.keys(dependencies),
    devDependencies: Object.keys(devDependencies),
    referenced: (await referencedBy(root, folder)) ?? [],
    referencedByTests: await referencedBy(root, folder, testProject),
  }
}

/** null: there is no such project. */
async function referencedBy(
  root: string,
  folder: string,
  file = "tsconfig.json",
): Promise<readonly string[] | null> {
  const path = join(root, folder, file)
  if (!existsSync(path)) return null
  const project = await readJson<{ references?: readonly { path: string }[] }>(path)
  return (project.references ?? []).map((reference) => relative(root, join(root, folder, reference.path)))
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
