import { rm, symlink } from "node:fs/promises"
import { join } from "node:path"
import { createTemporaryFolder, openPty, type PtyDevice } from "@serialcast/testkit"

/** What devices are plugged into, named by a link as udev would. For tests. */
export interface PtySocket extends AsyncDisposable {
  readonly path: string
  plugIn(): Promise<PtyDevice>
  unplug(): Promise<void>
}

export function createPtySocket(): PtySocket {
  const folder = createTemporaryFolder()
  const path = join(folder.path, "port")
  let pty: PtyDevice | null = null
  const unplug = async () => {
    // The link goes first: the terminal's name is free at once for another program's.
    await rm(path, { force: true })
    await pty?.unplug()
    pty = null
  }
  return {
    path,
    unplug,
    async plugIn() {
      pty = await openPty()
      await symlink(pty.path, path)
      return pty
    },
    async [Symbol.asyncDispose]() {
      await unplug()
      folder[Symbol.dispose]()
    },
  }
}
