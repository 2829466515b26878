export type { Board, ExecOptions, ExecResult, Found, SoftResetOptions } from "./board/board.ts"
export { type BoardMemory, createBoardMemory } from "./board/board-memory.ts"
export { type TakeBoardOptions, takeBoard } from "./board/take-board.ts"
export type { Wire } from "./board/wire.ts"
export type {
  BoardFiles,
  FileEntry,
  FileHash,
  FileSource,
  FileStat,
  GetOptions,
  PutOptions,
  PutResult,
  RemoteFile,
} from "./files/board-files.ts"
