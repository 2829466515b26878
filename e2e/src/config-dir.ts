import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface ConfigDir extends AsyncDisposable {
  readonly path: string
}

/** A new empty folder to mount as /config, readable by the user of the containers. */
export async function createConfigDir(): Promise<ConfigDir> {
  const path = await mkdtemp(join(tmpdir(), "serialcast-"))
  await chmod(path, 0o755)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
