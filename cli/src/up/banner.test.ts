import { createDeviceState, createTunnelState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createPaint } from "../terminal/paint.ts"
import { formatBanner, formatDevice, type Served } from "./banner.ts"

const state = createDeviceState({ device: "demo-echo" })

const served: Served = {
  version: "1.2.3",
  gateway: "local",
  console: { host: "127.0.0.1", port: 8080 },
  http: { host: "0.0.0.0", port: 8081 },
  resources: { address: { host: "127.0.0.1", port: 8082 }, isSecure: true },
  broker: {
    mqtt: { host: "127.0.0.1", port: 1883 },
    websocket: { host: "127.0.0.1", port: 9001 },
    root: "lab",
  },
  brokerUrl: null,
  admin: { host: "127.0.0.1", port: 9090 },
  isConnected: true,
  devices: [state],
  tunnels: [],
  boards: [],
  defaultDevice: "local/demo-echo",
  needsToken: false,
}

const plain = createPaint(false)

test("everything has its address as people type it, and what is worth a try works as it stands", () => {
  const text = formatBanner(served, plain)
  expect(text).toMatch(/Page +http:\/\/localhost:8080\/$/m)
  expect(text).toMatch(/Resources +https:\/\/localhost:8082\/api\/v1\/resources$/m)
  expect(text).toContain("●   local/demo-echo   sim:echo   115200 8N1")
  expect(text).toContain("curl http://localhost:8081/api/v1/devices/local/demo-echo/write --data-binary")
  expect(text).toMatch(/npx serialcast attach local\/demo-echo$/m)
  expect(text).toContain("mosquitto_sub -h 127.0.0.1 -p 1883 -t lab/local/demo-echo/rx")
})

test("a device that is offline says why, and nothing is suggested with it", () => {
  const problem = { code: "open_failed", message: "/dev/ttyUSB0 is not there." }
  const text = formatBanner({ ...served, devices: [{ ...state, online: false, problem }] }, plain)
  expect(text).toContain("○   local/demo-echo   sim:echo   /dev/ttyUSB0 is not there.")
  expect(text).not.toContain("curl")
})

test("a broker that cannot be reached is said, and its password is not", () => {
  const brokerUrl = "mqtt://me:secret@broker:1883"
  const text = formatBanner({ ...served, broker: null, brokerUrl, isConnected: false, devices: [] }, plain)
  expect(text).toContain("none yet: the broker mqtt://[redacted]@broker:1883 cannot be reached")
  expect(text).not.toContain("secret")
})

test("a tunnel is told with what it speaks and its device, and why it does not work; without any there is no word of them", () => {
  const tunnel = createTunnelState({ device: "local/demo-echo" })
  const problem = { code: "device_offline", message: "The cable is not there." }
  const broken = createTunnelState({ type: "serialtcp-client", endpoint: "10.0.0.7:22", problem })
  const text = formatBanner({ ...served, tunnels: [tunnel, broken] }, plain)
  expect(text).toMatch(/Tunnels\n +● +127\.0\.0\.1:7001 +raw +local\/demo-echo\n/)
  expect(text).toMatch(/○ +10\.0\.0\.7:22 +serialtcp-client +local\/uno +The cable is not there\.\n/)
  expect(formatBanner(served, plain)).not.toContain("Tunnels")
})

test("with an access token the suggestions carry it", () => {
  expect(formatBanner({ ...served, needsToken: true }, plain)).toContain('-H "Authorization: Bearer $TOKEN"')
})

test("columns stay aligned with colours", () => {
  const lines = formatBanner(
    { ...served, devices: [state, { ...state, device: "x" }] },
    createPaint(true),
  ).split("\n")
  const places = lines.filter((line) => line.includes("sim:echo")).map((line) => line.indexOf("sim:echo"))
  expect(places[0]).toBe(places[1])
})

test("news of one device are a line as in the list, which says that it is open", () => {
  expect(formatDevice(state, plain)).toBe("  ●   local/demo-echo   sim:echo   115200 8N1   open\n")
  const found = { ...state, online: false, configured: false, port: "/dev/ttyUSB0" }
  expect(formatDevice(found, plain)).toMatch(
    /^ {2}○ {3}local\/demo-echo {3}\/dev\/ttyUSB0 {3}found, not opened: .*\n$/,
  )
})

test("nothing that a state says steers the terminal, or makes a line of its own", () => {
  const problem = { code: "open_failed", message: "gone\n  ● \u001b[2J" }
  const line = formatDevice({ ...state, online: false, problem, port: "/dev/\u001b]0;x\u0007" }, plain)
  expect(line).toBe("  ○   local/demo-echo   /dev/\\x1B]0;x\\x07   gone   ● \\x1B[2J\n")
})

test("a board is told with the address that its clients open, and why it cannot be used; without any there is no word of them", () => {
  const board = {
    endpoint: "127.0.0.1:8266",
    isSecure: false,
    device: "local/esp32",
    problem: null,
    clients: [],
    totals: { clients: 0, fromClients: 0, toClients: 0 },
  }
  const problem = { code: "device_offline", message: "The port is not there." }
  const boards = [board, { ...board, endpoint: "10.0.0.7:8267", isSecure: true, problem }]
  const text = formatBanner({ ...served, boards }, plain)
  expect(text).toMatch(/WebREPL\n +● +ws:\/\/127\.0\.0\.1:8266\/ +local\/esp32\n/)
  expect(text).toMatch(/○ +wss:\/\/10\.0\.0\.7:8267\/ +local\/esp32 +The port is not there\.\n/)
  expect(formatBanner(served, plain)).not.toContain("WebREPL")
})
