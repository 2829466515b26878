export { createFramer, type Framer, isFrameBreak } from "./create-framer.ts"
export type { Frame, Place } from "./frame-builder.ts"
