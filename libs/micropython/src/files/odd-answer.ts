import { AppError } from "@serialcast/contract"

const shownCharacters = 60

/** What our program on the board said is nothing that it says: something else printed, or the board is no such board. */
export function oddAnswer(what: string, text: string): AppError {
  const shown = JSON.stringify(text.slice(0, shownCharacters))
  return new AppError("board_error", `${what}: the board answered ${shown}.`)
}
