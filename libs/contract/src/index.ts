export { decodeBytes, notHex } from "./byte-text.ts"
export { type CancelRequest, cancelRequestSchema, parseCancelled } from "./cancel-call.ts"
export {
  type ConfigureRequest,
  configureRequestSchema,
  type LinesRequest,
  linesRequestSchema,
  type PurgeRequest,
  parseLinesReply,
  parseSettingsReply,
  purgeRequestSchema,
  type SignalRequest,
  signalRequestSchema,
} from "./control-calls.ts"
export {
  type Cursor,
  formatCursor,
  formatStartPoint,
  isEpoch,
  parseCursor,
  parseStartPoint,
  type StartPoint,
} from "./cursor.ts"
export { decodeCbor } from "./decode-cbor.ts"
export { parseDiscovery } from "./discovery.ts"
export { encodeCbor } from "./encode-cbor.ts"
export { AppError, type ErrorCode, errorCatalogue, isErrorCode, toAppError } from "./errors.ts"
export {
  createPageReply,
  type Gap,
  type HistoryPage,
  type HistoryRequest,
  historyRequestSchema,
  pageToWire,
  parseHistoryPage,
} from "./history-call.ts"
export { type JsonWrite, lineEnds, parseJsonObject, parseJsonWrite } from "./json-write.ts"
export {
  type Lease,
  type LeaseOutcome,
  type LeaseRequest,
  leaseRequestSchema,
  parseLease,
  type ReleaseRequest,
  releaseRequestSchema,
} from "./lease-call.ts"
export {
  announceEveryMs,
  firstAnnounceMs,
  maxCallBytes,
  maxChunkBytes,
  maxPayloadBytes,
  maxPublishedBytes,
  maxSessionBytes,
  maxTtlMs,
  maxWriteBytes,
  unheardMs,
} from "./limits.ts"
export { type MacroStep, parseLineMacro } from "./line-macro.ts"
export { type Mark, parseMark } from "./mark.ts"
export { type DeviceAddress, formatAddress, isName, namePattern, parseAddress } from "./names.ts"
export { bytesOf, type Parcel, type Payload } from "./parcel.ts"
export { CallParcel, checkCall, decodeCall, encodeCall, type PayloadFormat } from "./payload.ts"
export {
  createReply,
  type DecodedReply,
  decodeReply,
  encodeErrorReply,
  encodeReply,
  type ReplyAddress,
  ReplyParcel,
} from "./reply.ts"
export {
  type DeviceState,
  deviceStateSchema,
  type Framing,
  framingSchema,
  type GatewayStatus,
  gatewayStatusSchema,
  type JournalHealth,
  type LeaseInForce,
  type ModemLines,
  type PortIdentity,
  type PortSettings,
  parseJsonPayload,
  type SettingsInForce,
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
  type ReadTime,
  type StreamMessage,
  type StreamName,
  StreamParcel,
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
  maxReportedClients,
  type TunnelClient,
  type TunnelReport,
  type TunnelState,
  type TunnelType,
  tunnelReportSchema,
  tunnelTypes,
} from "./tunnel-report.ts"
export { describeVeil, type LiftReason, type Shown, Veil, type VeiledLease } from "./veil.ts"
export {
  pacingSchema,
  parseProgress,
  parseReceipt,
  type Receipt,
  type WriteProgress,
  type WriteRequest,
  writeRequestSchema,
} from "./write-call.ts"
