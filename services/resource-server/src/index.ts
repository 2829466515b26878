export { encodeRemoval, type Removal } from "./replica/encode-removal.ts"
export { createResourceServer, type RunningResourceServer } from "./service.ts"
