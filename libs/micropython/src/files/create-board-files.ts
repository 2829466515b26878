import { AppError } from "@serialcast/contract"
import type { Session } from "../board/session.ts"
import type { BoardFiles, RemoteFile } from "./board-files.ts"
import { askFeatures, type BoardFeatures } from "./features.ts"
import {
  currentFolder,
  listFolder,
  makeFolder,
  removeFile,
  renameFile,
  statFile,
} from "./folder-functions.ts"
import { SendingBoard } from "./get-file.ts"
import { hashFile } from "./hash-file.ts"
import { pathLiteral, refuseBadPath } from "./path-name.ts"
import { putFile } from "./put-file.ts"
import { RemoteBytes } from "./remote-bytes.ts"
import { runFunction } from "./run-function.ts"
import { temporaryNames } from "./temporary-names.ts"

export interface BoardFilesOptions {
  readonly softwareFlowControl: boolean
}

/** The files of the board of this session. */
export function createBoardFiles(session: Session, { softwareFlowControl }: BoardFilesOptions): BoardFiles {
  let known: BoardFeatures | null = null
  const features = async () => (known ??= await askFeatures(session))
  return {
    stat: async (path) => {
      refuseBadPath(path)
      return await session.alone(() => healed(session, path, () => statFile(session, path)))
    },
    currentFolder: async () => await session.alone(() => currentFolder(session)),
    list: async (path, { isAll = false } = {}) => {
      refuseBadPath(path)
      return await session.alone(() => listFolder(session, path, isAll))
    },
    put: async (path, source, options = {}) => {
      refuseBadPath(path)
      return await session.alone(async () =>
        putFile(session, { path, source, features: await features(), softwareFlowControl, options }),
      )
    },
    get: async (path, { signal } = {}): Promise<RemoteFile> => {
      refuseBadPath(path)
      const turn = session.begin()
      try {
        await session.ready()
        const request = { path, features: await features(), softwareFlowControl, signal }
        const { board, size } = await healed(session, path, async () => {
          const sending = new SendingBoard(session, request)
          return { board: sending, size: await sending.open() }
        })
        return { size, bytes: new RemoteBytes(session, { board, turn, signal }) }
      } catch (error) {
        turn.end()
        throw error
      }
    },
    remove: async (path, { recursive = false } = {}) => {
      refuseBadPath(path)
      await session.alone(() => healed(session, path, () => removeFile(session, path, recursive)))
    },
    rename: async (from, to, { overwrite = false } = {}) => {
      refuseBadPath(from)
      refuseBadPath(to)
      await session.alone(() => healed(session, from, () => renameFile(session, from, { to, overwrite })))
    },
    mkdir: async (path, { parents = false } = {}) => {
      refuseBadPath(path)
      await session.alone(() => makeFolder(session, path, parents))
    },
    hash: async (path) => {
      refuseBadPath(path)
      return await session.alone(async () => {
        const { hash: algorithm } = await features()
        return await healed(session, path, () => hashFile(session, path, { algorithm }))
      })
    },
  }
}

/**
 * What `work` comes to. A file that is not there may be one whose put the board lost its power in, between the removing of
 * the old one and the renaming of the new one, which is whole: then it takes its place first.
 */
async function healed<T>(session: Session, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "no_such_file" || path.endsWith("/")) throw error
    const given = { w: pathLiteral(temporaryNames(path).whole), p: pathLiteral(path) }
    const code = { imports: "import os", body: "os.rename(w,p)", given }
    const isHealed = await runFunction(session, code, { what: `heal ${path}` }).then(
      () => true,
      () => false,
    )
    if (!isHealed) throw error
    return await work()
  }
}
