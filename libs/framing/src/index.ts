export {
  createFramer,
  type FrameBreak,
  type Framer,
  type FramerOptions,
  lookBackBytes,
} from "./create-framer.ts"
export type { Frame, Place } from "./frame-builder.ts"
