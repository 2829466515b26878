export { startPyserialServer } from "../rfc2217/testing/start-pyserial-server.ts"
export { startSer2net } from "../rfc2217/testing/start-ser2net.ts"
export { TestCoreServer } from "../rfc2217/testing/test-core-server.ts"
export { PortRecord } from "./port-record.ts"
