export type { BoardFiles, FileToGet, FileToPut, UseBoard, UsedBoard } from "./file-channel/board-files.ts"
export type { ListenerState } from "./listen/board-listener.ts"
export type { ListenSocket } from "./module/listen-socket.ts"
export {
  type AcceptHandler,
  type Handshake,
  type StartOptions,
  WebreplModule,
  type WebreplModuleDeps,
} from "./module/webrepl-module.ts"
export { createWebrepl, type RunningWebrepl, type WebreplDeps } from "./service.ts"
export { type LendingDeps, lendBoard } from "./session/lend-board.ts"
