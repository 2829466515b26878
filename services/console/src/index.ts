export { type ConsoleDeps, createConsole, type RunningConsole } from "./service.ts"
