export { decodeBytes } from "./byte-text.ts"
export { decodeCbor, encodeCbor } from "./cbor.ts"
export {
  type Cursor,
  formatCursor,
  formatStartPoint,
  isEpoch,
  parseCursor,
  parseStartPoint,
  type StartPoint,
} from "./cursor.ts"
export { AppError, type ErrorCode, errorCatalogue, isErrorCode, toAppError } from "./errors.ts"
export {
  type Gap,
  type HistoryPage,
  type HistoryRequest,
  historyRequestSchema,
  pageToWire,
  parseHistoryPage,
} from "./history-call.ts"
export {
  announceEveryMs,
  firstAnnounceMs,
  maxChunkBytes,
  maxPayloadBytes,
  maxWriteBytes,
  silenceMs,
} from "./limits.ts"
export { type Mark, parseMark } from "./mark.ts"
export { type DeviceAddress, formatAddress, isName, namePattern, parseAddress } from "./names.ts"
export { checkCall, decodeCall, encodeCall, type PayloadFormat } from "./payload.ts"
export { type DecodedReply, decodeReply, encodeErrorReply, encodeReply, type ReplyAddress } from "./reply.ts"
export {
  type DeviceState,
  deviceStateSchema,
  type GatewayStatus,
  gatewayStatusSchema,
  type PortIdentity,
  type PortSettings,
  parseJsonPayload,
  type StreamExtent,
  settingsSchema,
} from "./state.ts"
export {
  type Chunk,
  decodeStreamMessage,
  encodeStreamMessage,
  isMarkRecord,
  isStreamName,
  type MarkRecord,
  type StreamMessage,
  type StreamName,
  type StreamRecord,
  streamNames,
} from "./stream-message.ts"
export {
  type CallVerb,
  callVerbs,
  createTopics,
  type Destination,
  defaultRoot,
  type ParsedTopic,
  type TopicKind,
  type TopicRule,
  type Topics,
  topicTable,
} from "./topics.ts"
export {
  parseReceipt,
  type Receipt,
  receiptToWire,
  type WriteRequest,
  writeRequestSchema,
} from "./write-call.ts"
