export { createResourceServer, type RunningResourceServer } from "./service.ts"
