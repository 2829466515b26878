export { ResourceError, type ResourceErrorCode, StoreUnavailable } from "./errors.ts"
export { createMemoryStore, type MemoryStoreOptions } from "./store/memory-store.ts"
export type { ResourceStore } from "./store/resource-store.ts"
export { checkChange } from "./table/check-change.ts"
export type {
  Add,
  AddChild,
  Change,
  Command,
  Outcome,
  Put,
  RefusedWhy,
  Remove,
  SetMethods,
  TagCondition,
} from "./table/command.ts"
export { encodeCommand, parseCommand } from "./table/command-json.ts"
export { entityTagOf } from "./table/entity-tag-of.ts"
export {
  allMethods,
  DELETE,
  defaultChildMethods,
  defaultMaxUri,
  GET,
  maxSerial,
  POST,
  PUT,
  type Resource,
  type ResourceOrigin,
  resourceOrigins,
} from "./table/resource.ts"
export { encodeResource, parseResource, type ResourceDefaults } from "./table/resource-json.ts"
export { ResourceTable, uriOf } from "./table/resource-table.ts"
export { maxUriBytes, whyNotUri } from "./uri/canonical-uri.ts"
