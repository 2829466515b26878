export type { BoardFiles, FileBoard, FileToGet, FileToPut } from "./file-channel/board-files.ts"
export type { ListenerState } from "./listen/board-listener.ts"
export { createWebrepl, type RunningWebrepl, type WebreplDeps } from "./service.ts"
