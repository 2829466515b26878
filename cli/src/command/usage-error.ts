import { AppError } from "@serialcast/contract"

/** The arguments make no sense: exit code 2, and the user is shown how the command is used. */
export class UsageError extends AppError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("bad_request", message, options)
  }
}
