import { expect, test } from "vitest"
import { startAllInOne } from "./all-in-one.ts"
import { type Guide, readGuide } from "./tunnels/guide.ts"
import { createWorkplace, type Workplace } from "./tunnels/workplace.ts"

/** A place where mosquitto's clients find the broker without being told. */
async function createPlace(mqttUrl: string): Promise<Workplace> {
  const place = await createWorkplace()
  const { port } = new URL(mqttUrl)
  for (const name of ["mosquitto_sub", "mosquitto_pub", "mosquitto_rr"])
    await place.addProgram(name, `#!/bin/sh\nexec /usr/bin/${name} -p ${port} "$@"\n`)
  return place
}

const demo = "devices: { demo-echo: { port: 'sim:echo' }, demo-sensor: { port: 'sim:sensor' } }"

test("the guide's examples read, write and control a device by mosquitto's clients", async () => {
  const guide: Guide = await readGuide("mqtt.md")
  await using all = await startAllInOne(() => demo)
  await all.untilOnline("local/demo-sensor")
  const place = await createPlace(all.mqttUrl)

  expect(await place.sh(guide.take("Read", "sh"))).not.toBe("")
  await place.sh(guide.take("Write", "sh"))
  expect(await place.sh(guide.take("Is it there?", "sh"))).toBe("online\n")
  expect(guide.take("Is it there?", "yaml")).toContain("availability")

  const define = guide.take("Calls", "sh")
  const call = async () => {
    const answers = await place.sh(`${define}\n${guide.take("Calls", "sh")}`)
    return answers
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line))
  }
  expect(await call()).toMatchObject([{ id: "1", ok: true, receipt: { bytes: 5 } }])
  expect(await call()).toMatchObject([{ id: "2", ok: true, cancelled: false }])
  const [page] = await call()
  expect(page).toMatchObject({ id: "3", page: { records: expect.any(Array) } })
  expect(await call()).toMatchObject([{ id: "4", settings: { baudRate: 57_600 } }])
  expect(await call()).toMatchObject([
    { id: "5", error: { code: "no_modem_lines" } },
    { id: "6", ok: true },
  ])
  expect(await call()).toMatchObject([{ id: "7", ok: true }])
  const [leased] = (await call()) as [{ lease: { token: string } }]
  expect(leased).toMatchObject({ id: "8", lease: { holder: "me" } })
  guide.replace("the token", leased.lease.token)
  expect(await call()).toMatchObject([{ id: "9", ok: true }])
  guide.checkAllTaken()
})
