export type { BoardFiles, FileToGet, FileToPut, UseBoard, UsedBoard } from "./file-channel/board-files.ts"
export type { ListenerState } from "./listen/board-listener.ts"
export { createWebrepl, type RunningWebrepl, type WebreplDeps } from "./service.ts"
