import { readdir, realpath } from "node:fs/promises"
import { basename, join } from "node:path"

/** Where udev puts its links to serial ports: by what the device says of itself, and by where it is plugged in. */
export const linkFolders = ["serial/by-id", "serial/by-path"] as const

/** The links below `dev` by the name of the node that they lead to, in an order that is the same at each call. */
export async function readPortLinks(dev: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const folders = await Promise.all(linkFolders.map((folder) => readFolder(join(dev, folder))))
  const links = new Map<string, string[]>()
  for (const { link, node } of folders.flat()) links.set(node, [...(links.get(node) ?? []), link])
  return links
}

async function readFolder(folder: string): Promise<{ readonly link: string; readonly node: string }[]> {
  const links = (await namesIn(folder)).sort().map((name) => join(folder, name))
  // A dead link is of a device that is just going; it leads nowhere.
  return await Promise.all(
    links.map(async (link) => ({ link, node: basename(await realpath(link).catch(() => "")) })),
  )
}

/** Names in a folder; none when it is missing, as on a system without such devices. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw error
  }
}
