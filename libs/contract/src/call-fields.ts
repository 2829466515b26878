import { z } from "zod"

/** Names a call; a repeat with the same id is the same call. */
export const callId = z.string().min(1).max(64)

/** The principal who asks. */
export const callBy = z.string().max(128).default("anonymous")
