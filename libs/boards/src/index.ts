export { Boards } from "./boards.ts"
export { type UseBoardOptions, useBoard } from "./use-board.ts"
