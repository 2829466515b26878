export { type InitDeps, initialize } from "./initialize.ts"
