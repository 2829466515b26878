export type {
  ComPortAnswer,
  ComPortRequest,
  PortAnswer,
  PortRequest,
  PortSetting,
  PortValues,
  PurgeTarget,
} from "./com-port/com-port-message.ts"
export type { LineState } from "./com-port/line-state.ts"
export type { ModemState } from "./com-port/modem-state.ts"
export { type ClientEvent, type ClientStep, Rfc2217Client } from "./rfc2217-client.ts"
export { Rfc2217Server, type ServerEvent, type ServerStep } from "./rfc2217-server.ts"
export { TelnetDecoder, type TelnetEvent } from "./telnet/telnet-decoder.ts"
