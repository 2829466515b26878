export { type Answer, safeHeaders } from "./answer/answer.ts"
export { answerRequest } from "./answer/answer-request.ts"
export {
  type AnswerOptions,
  type AnswerRules,
  createAnswerRules,
  type Refusal,
} from "./answer/answer-rules.ts"
export { type Judged, judgeRequest, type ReadyRequest } from "./answer/judge-request.ts"
export type { RequestEvent, RequestHead, ResourceMethod } from "./answer/request.ts"
export { servedType } from "./answer/served-type.ts"
export { ResourceError, type ResourceErrorCode, StoreUnavailable } from "./errors.ts"
export { createServer as createResourceServer, type ResourceServerOptions } from "./http/create-server.ts"
export { type Body, type BodyLimits, readBody } from "./http/read-body.ts"
export { createResourceHandler, type HandlerOptions, type ResourceHandler } from "./http/resource-handler.ts"
export type { BoundAddress } from "./http/start-server.ts"
export { HttpResource, type RequestCallback } from "./http-server/http-resource.ts"
export { type AddOptions, HttpServer } from "./http-server/http-server.ts"
export type { InitOptions } from "./http-server/init-options.ts"
export type { ResourceValue, ValueOptions } from "./http-server/resource-value.ts"
export { type EntityTag, parseEntityTags } from "./negotiate/entity-tag.ts"
export { type MediaType, parseMediaType } from "./negotiate/media-type.ts"
export { createMemoryStore, type MemoryStore, type MemoryStoreOptions } from "./store/memory-store.ts"
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
  Tell,
} from "./table/command.ts"
export { encodeCommand, parseCommand } from "./table/command-json.ts"
export { entityTagOf } from "./table/entity-tag-of.ts"
export { valueToJson } from "./table/json-value.ts"
export {
  allMethods,
  DELETE,
  defaultChildMethods,
  defaultMaxUri,
  GET,
  maxSerial,
  maxTimeMs,
  POST,
  PUT,
  type Resource,
  type ResourceOrigin,
  resourceOrigins,
  type Telling,
} from "./table/resource.ts"
export { encodeResource, parseResource, type ResourceDefaults } from "./table/resource-json.ts"
export { ResourceTable, uriOf } from "./table/resource-table.ts"
export { maxUriBytes, whyNotUri } from "./uri/canonical-uri.ts"
export { encodeUri } from "./uri/encode-uri.ts"
export { parseTarget, type Target } from "./uri/parse-target.ts"
