export { BoardMemories } from "./board-memories.ts"
export { type UseBoardOptions, useBoard } from "./use-board.ts"
