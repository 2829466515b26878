import { expect, test } from "vitest"
import { parseOptions } from "../command/options.ts"
import { UsageError } from "../command/usage-error.ts"
import { bridgeConfig } from "./bridge-config.ts"
import { bridgeOptions } from "./bridge-options.ts"

const configOf = (line: string) => bridgeConfig(parseOptions(bridgeOptions, line.split(" ")).values)

test("a port alone is one of this machine, and the baud rate stands behind the device", () => {
  const { devices, tunnels, discover } = configOf("--device /dev/ttyUSB0@921600 --listen 1234")
  expect(devices["device"]).toMatchObject({ port: "/dev/ttyUSB0", baudRate: 921_600, parity: "none" })
  expect(tunnels).toMatchObject([
    { type: "raw", listen: { host: "127.0.0.1", port: 1234 }, device: "local/device", allow: null },
  ])
  expect(discover).toBe("off")
})

test("what the options say reaches the port and the tunnel", () => {
  const { devices, tunnels } = configOf(
    "-d tcp://[::1]:4001@1200 --data-bits 7 --parity even --stop-bits 2 --flow-control hardware -l [::1]:0 " +
      "--allow 10.0.0.0/8,fd00::1 --replay 4KiB --read-only --allow-http --idle-timeout 5m",
  )
  const settings = { baudRate: 1200, dataBits: 7, parity: "even", stopBits: 2, flowControl: "hardware" }
  expect(devices["device"]).toMatchObject({ port: "tcp://[::1]:4001", ...settings })
  expect(tunnels).toMatchObject([
    {
      allow: ["10.0.0.0/8", "fd00::1"],
      replayBytes: 4096,
      readOnly: true,
      allowHttp: true,
      idleTimeoutMs: 300_000,
    },
  ])
})

test("each end of a cable has its own options", () => {
  expect(configOf("-d sim:echo -p serialtcp-server -l 0 --sync-timeout 3s").tunnels).toMatchObject([
    { type: "serialtcp-server", syncTimeoutMs: 3_000, timeoutMs: 10_000 },
  ])
  expect(configOf("-d sim:echo -p serialtcp-client --connect [::1]:22 --timeout 2s").tunnels).toMatchObject([
    { type: "serialtcp-client", connect: { host: "::1", port: 22 }, timeoutMs: 2_000, syncTimeoutMs: null },
  ])
})

test.each([
  ["--listen 1", "A raw bridge needs --device"],
  ["--device sim:echo", "A raw bridge needs --listen"],
  ["--device sim:echo -p serialtcp-client", "A serialtcp-client bridge needs --connect"],
  ["--device sim:echo -p ssh", "--protocol: expected one of raw, rfc2217"],
  ["--device sim:echo -p serialtcp-client -l 1", "--listen is nothing for a serialtcp-client bridge"],
  ["--device sim:echo -p rfc2217 -l 1 --read-only", "--read-only is nothing for a rfc2217 bridge"],
  ["--device sim:echo -l 1 --sync-timeout 1s", "--sync-timeout is nothing for a raw bridge"],
  ["--device ttyUSB0 -l 1", "--device: expected a path like /dev/ttyUSB0"],
  ["--device sim:echo@0 -l 1", "--device: expected"],
  ["--device sim:echo -l 99999", "--listen: expected an address"],
  ["--device sim:echo -l *:1", "--listen: other machines can reach *:1"],
  ["--device sim:echo -l 1 --allow 10.0.0.0/8,all", "--allow: expected a network"],
  ["--device sim:echo -l 1 --replay 2MiB", "--replay: expected a size of at most 1MiB"],
  ["--device sim:echo -l 1 --stop-bits 1.5", "--stop-bits: expected 1 or 2"],
  ["--device sim:echo -l 1 --parity odd --idle-timeout soon", "--idle-timeout: expected a duration"],
])("%s is refused, naming the option", (line, message) => {
  expect(() => configOf(line)).toThrow(UsageError)
  expect(() => configOf(line)).toThrow(message)
})
