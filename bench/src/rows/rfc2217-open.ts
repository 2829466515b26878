import { createDeferred } from "@serialcast/primitives"
import { freePort } from "@serialcast/testkit"
import { median } from "../report/summary.ts"
import { startProgram } from "../rig/program.ts"
import type { Rig } from "../rig/rig.ts"
import type { Row } from "../row.ts"

/** The system's Python: pySerial is a package of the system there. */
const python = "/usr/bin/python3"
const opens = 10

/** Prints the seconds of each open, and `none` where there is no pySerial. */
const script = `
import sys, time
try:
    import serial
except ImportError:
    print("none")
    sys.exit()
for _ in range(int(sys.argv[2])):
    start = time.monotonic()
    port = serial.serial_for_url(sys.argv[1], baudrate=115200)
    print(time.monotonic() - start)
    port.close()
print("done")
`

/** How long pySerial takes to open a port through a tunnel. */
export const rfc2217Open: Row = {
  name: "rfc2217-open",
  what: "pySerial opens `rfc2217://` with its defaults, ten times one after the other: the median. It looks for each of about nine answers every 50 ms. From ser2net, which does not answer for DTR and RTS on a pseudo-terminal, it wants fewer (`ign_set_control`)",
  figures: [
    { name: "Serialcast", unit: "s", isBetter: "lower", floor: 0.5, aim: 0.4 },
    { name: "ser2net, tuned, ign_set_control", unit: "s", isBetter: "lower" },
    { name: "ser2net, default, ign_set_control", unit: "s", isBetter: "lower" },
  ],
  async run(rig) {
    const measured: [string, number | null][] = [
      ["Serialcast", await openGateway(rig)],
      ["ser2net, tuned, ign_set_control", await openSer2net(rig, "tuned")],
      ["ser2net, default, ign_set_control", await openSer2net(rig, "default")],
    ]
    return Object.fromEntries(measured.filter((entry): entry is [string, number] => entry[1] !== null))
  },
}

async function openGateway(rig: Rig): Promise<number | null> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  const port = await freePort()
  const listen = `127.0.0.1:${port}`
  await using _gateway = await rig.startGateway({
    ports: [device.path],
    tunnels: [{ type: "rfc2217", listen, device: "local/d0" }],
  })
  return await medianOpen(rig, `rfc2217://${listen}`)
}

async function openSer2net(rig: Rig, tuning: "tuned" | "default"): Promise<number | null> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  await using ser2net = await rig.startSer2net({ device, tuning, protocol: "rfc2217" })
  return ser2net && (await medianOpen(rig, `rfc2217://127.0.0.1:${ser2net.port}?ign_set_control`))
}

/** In seconds; null where there is no pySerial. */
async function medianOpen(rig: Rig, url: string): Promise<number | null> {
  const lines: string[] = []
  const last = createDeferred<string>()
  await using running = await startProgram(python, ["-u", "-c", script, url, String(rig.scaled(opens, 3))], {
    onLine(line) {
      if (line === "none" || line === "done") last.resolve(line)
      else lines.push(line)
    },
  })
  void running.ended.then((how) => last.reject(new Error(how)))
  return (await last.promise) === "none" ? null : median(lines.map(Number))
}
