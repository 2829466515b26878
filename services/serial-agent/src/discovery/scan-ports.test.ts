import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { scanPorts } from "./scan-ports.ts"

/** A folder that looks like a system: files by path, and links by path with the path that they point to. */
async function system(files: Record<string, string>, links: Record<string, string> = {}) {
  const root = await mkdtemp(join(tmpdir(), "serialcast-system-"))
  onTestFinished(() => rm(root, { recursive: true }))
  await mkdir(join(root, "dev"))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await mkdir(dirname(join(root, target)), { recursive: true })
    await symlink(join(root, target), join(root, path))
  }
  return { sys: join(root, "sys"), dev: join(root, "dev") }
}

const usbDevice = "sys/devices/pci0/usb1/1-1"
const usbFiles = {
  [`${usbDevice}/idVendor`]: "2341\n",
  [`${usbDevice}/idProduct`]: "0043\n",
  [`${usbDevice}/manufacturer`]: "Arduino (www.arduino.cc)\n",
  [`${usbDevice}/serial`]: "8593731\n",
  [`${usbDevice}/1-1:1.0/bInterfaceNumber`]: "00\n",
}
const usbIdentity = {
  vendorId: "2341",
  productId: "0043",
  manufacturer: "Arduino (www.arduino.cc)",
  product: undefined,
  serialNumber: "8593731",
  interface: "00",
}

test("a USB port is found with what its device says of itself, under its lasting name", async () => {
  const roots = await system(
    { ...usbFiles, "dev/ttyACM0": "" },
    {
      "sys/class/tty/ttyACM0/device": `${usbDevice}/1-1:1.0`,
      "dev/serial/by-id/usb-Arduino-if00": "dev/ttyACM0",
    },
  )
  expect(await scanPorts(roots)).toEqual([
    {
      path: join(roots.dev, "serial/by-id/usb-Arduino-if00"),
      node: join(roots.dev, "ttyACM0"),
      identity: usbIdentity,
    },
  ])
})

test("a USB adapter's port, one folder further down, has the same identity", async () => {
  const roots = await system(
    { ...usbFiles, [`${usbDevice}/1-1:1.0/ttyUSB0/port_number`]: "0\n" },
    { "sys/class/tty/ttyUSB0/device": `${usbDevice}/1-1:1.0/ttyUSB0` },
  )
  expect(await scanPorts(roots)).toEqual([
    { path: join(roots.dev, "ttyUSB0"), node: join(roots.dev, "ttyUSB0"), identity: usbIdentity },
  ])
})

test("a port on the board has no identity; a slot without a chip and a virtual console are no ports", async () => {
  const roots = await system(
    {
      "sys/class/tty/ttyS0/type": "4\n",
      "sys/class/tty/ttyS1/type": "0\n",
      "sys/class/tty/tty1/dev": "4:1\n",
      "sys/class/tty/console/dev": "5:1\n",
      "sys/devices/platform/serial8250/uevent": "",
    },
    {
      "sys/class/tty/ttyS0/device": "sys/devices/platform/serial8250",
      "sys/class/tty/ttyS1/device": "sys/devices/platform/serial8250",
    },
  )
  const node = join(roots.dev, "ttyS0")
  expect(await scanPorts(roots)).toEqual([{ path: node, node, identity: {} }])
})

test("of several links to one port the same one is taken at each scan, and a dead link is nothing", async () => {
  const roots = await system(
    { ...usbFiles, "dev/ttyACM0": "" },
    {
      "sys/class/tty/ttyACM0/device": `${usbDevice}/1-1:1.0`,
      "dev/serial/by-id/usb-b": "dev/ttyACM0",
      "dev/serial/by-id/usb-a": "dev/ttyACM0",
      "dev/serial/by-id/usb-gone": "dev/ttyACM9",
    },
  )
  expect((await scanPorts(roots)).map(({ path }) => path)).toEqual([join(roots.dev, "serial/by-id/usb-a")])
})

test("a system without serial ports has none", async () => {
  expect(await scanPorts({ sys: "/nowhere/sys", dev: "/nowhere/dev" })).toEqual([])
})

test("a folder that cannot be read is an error, not a system without ports", async () => {
  const roots = await system({ "sys/class/tty": "" })
  await expect(scanPorts(roots)).rejects.toThrow(/ENOTDIR/)
})
