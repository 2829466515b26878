import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { identifyPort, scanPorts } from "./scan-ports.ts"

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
      identity: { ...usbIdentity, links: [join(roots.dev, "serial/by-id/usb-Arduino-if00")] },
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

/** A USB adapter with its port, by the socket that it is plugged into; udev's link by-path leads to the port. */
function adapter(socket: string, node: string, serial?: string) {
  const device = `sys/devices/pci0/usb1/${socket}`
  return {
    files: {
      [`${device}/idVendor`]: "1a86\n",
      [`${device}/idProduct`]: "7523\n",
      ...(serial === undefined ? {} : { [`${device}/serial`]: `${serial}\n` }),
      [`${device}/${socket}:1.0/bInterfaceNumber`]: "00\n",
      [`${device}/${socket}:1.0/${node}/port_number`]: "0\n",
      [`dev/${node}`]: "",
    },
    links: {
      [`sys/class/tty/${node}/device`]: `${device}/${socket}:1.0/${node}`,
      [`dev/serial/by-path/pci-usb-0:${socket}:1.0-port0`]: `dev/${node}`,
    },
  }
}

/** A system with these adapters; udev has one link by-id for all that say the same of themselves. */
async function systemWith(adapters: readonly ReturnType<typeof adapter>[], byId: Record<string, string>) {
  const files = Object.assign({}, ...adapters.map((each) => each.files))
  const links = Object.assign({}, ...adapters.map((each) => each.links))
  const byIdLinks = Object.entries(byId).map(([name, node]) => [`dev/serial/by-id/${name}`, `dev/${node}`])
  return await system(files, { ...links, ...Object.fromEntries(byIdLinks) })
}

const found = async (roots: Awaited<ReturnType<typeof system>>) =>
  (await scanPorts(roots)).map(({ path, node }) => [relative(roots.dev, path), relative(roots.dev, node)])

test("two adapters without serial numbers are told apart by their sockets, whichever came first", async () => {
  const link = { "usb-1a86_USB_Serial-if00-port0": "ttyUSB1" }
  const roots = await systemWith([adapter("1-1", "ttyUSB0"), adapter("1-2", "ttyUSB1")], link)
  expect(await found(roots)).toEqual([
    ["serial/by-path/pci-usb-0:1-1:1.0-port0", "ttyUSB0"],
    ["serial/by-path/pci-usb-0:1-2:1.0-port0", "ttyUSB1"],
  ])
  const swapped = await systemWith([adapter("1-2", "ttyUSB0"), adapter("1-1", "ttyUSB1")], link)
  expect(await found(swapped)).toEqual([
    ["serial/by-path/pci-usb-0:1-1:1.0-port0", "ttyUSB1"],
    ["serial/by-path/pci-usb-0:1-2:1.0-port0", "ttyUSB0"],
  ])
})

test("an adapter without a serial number goes by its socket while it is alone too", async () => {
  const roots = await systemWith([adapter("1-1", "ttyUSB0")], { "usb-1a86_USB_Serial": "ttyUSB0" })
  expect(await found(roots)).toEqual([["serial/by-path/pci-usb-0:1-1:1.0-port0", "ttyUSB0"]])
})

test("adapters with serial numbers go by these, clones that share one by their sockets", async () => {
  const own = await systemWith([adapter("1-1", "ttyUSB0", "A"), adapter("1-2", "ttyUSB1", "B")], {
    "usb-A": "ttyUSB0",
    "usb-B": "ttyUSB1",
  })
  expect((await found(own)).map(([path]) => path)).toEqual(["serial/by-id/usb-A", "serial/by-id/usb-B"])
  const clones = await systemWith([adapter("1-1", "ttyUSB0", "0001"), adapter("1-2", "ttyUSB1", "0001")], {
    "usb-0001": "ttyUSB0",
  })
  expect((await found(clones)).map(([path]) => path)).toEqual([
    "serial/by-path/pci-usb-0:1-1:1.0-port0",
    "serial/by-path/pci-usb-0:1-2:1.0-port0",
  ])
})

test("several ports of one interface that nothing tells apart go by their nodes", async () => {
  const folder = "sys/devices/pci0/usb1/1-1/1-1:1.0"
  const roots = await system(
    {
      ...usbFiles,
      ...Object.fromEntries([0, 1].map((n) => [`dev/ttyCH9344USB${n}`, ""])),
    },
    {
      "sys/class/tty/ttyCH9344USB0/device": folder,
      "sys/class/tty/ttyCH9344USB1/device": folder,
      "dev/serial/by-id/usb-chip-if00": "dev/ttyCH9344USB1",
      "dev/serial/by-path/pci-usb-0:1:1.0": "dev/ttyCH9344USB0",
    },
  )
  expect(await found(roots)).toEqual([
    ["ttyCH9344USB0", "ttyCH9344USB0"],
    ["ttyCH9344USB1", "ttyCH9344USB1"],
  ])
})

test("what is behind a port is found by its node and by each of its links", async () => {
  const roots = await systemWith([adapter("1-1", "ttyUSB0", "A")], { "usb-A": "ttyUSB0" })
  const [byId, byPath] = ["serial/by-id/usb-A", "serial/by-path/pci-usb-0:1-1:1.0-port0"]
  for (const path of ["ttyUSB0", byId, byPath]) {
    expect(await identifyPort(join(roots.dev, path), roots)).toMatchObject({
      serialNumber: "A",
      links: [join(roots.dev, byId), join(roots.dev, byPath)],
    })
  }
  expect(await identifyPort(join(roots.dev, "ttyUSB9"), roots)).toEqual({})
})

test("a system without serial ports has none", async () => {
  expect(await scanPorts({ sys: "/nowhere/sys", dev: "/nowhere/dev" })).toEqual([])
})

test("a folder that cannot be read is an error, not a system without ports", async () => {
  const roots = await system({ "sys/class/tty": "" })
  await expect(scanPorts(roots)).rejects.toThrow(/ENOTDIR/)
})
