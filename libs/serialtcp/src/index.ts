export { CableEnd, type CableEndOptions, type CablePhase } from "./cable-end.ts"
export type { CableAction, CableInput, CableReport, CloseReason } from "./cable-events.ts"
export type { Role } from "./codes.ts"
