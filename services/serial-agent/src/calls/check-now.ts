import { AppError } from "@serialcast/contract"

/** Throws `bad_request` for a control that is to be done now and in its session's order at once. */
export function checkNow<T extends { readonly now: boolean; readonly session?: string | undefined }>(
  request: T,
): T {
  if (request.now && request.session !== undefined)
    throw new AppError("bad_request", "What is done now has no place in a session.")
  return request
}
