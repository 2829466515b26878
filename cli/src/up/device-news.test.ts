import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { DeviceNews } from "./device-news.ts"

const problem = { code: "open_failed", message: "It is not there." }
const opened = createDeviceState()
const opening = createDeviceState({ online: false })
const failed = createDeviceState({ online: false, problem })
const found = createDeviceState({ online: false, configured: false })

test("a device that opens after the list was shown is told once, however often it is unplugged then", () => {
  const news = new DeviceNews("local", [opening])
  expect(news.take([opening])).toEqual([])
  expect(news.take([opened])).toEqual([opened])
  for (let unplugs = 0; unplugs < 3; unplugs++) {
    expect(news.take([failed])).toEqual([])
    expect(news.take([])).toEqual([])
    expect(news.take([opened])).toEqual([])
  }
})

test("why a device is not open is told once, and then that it is", () => {
  const news = new DeviceNews("local", [opening])
  expect(news.take([failed])).toEqual([failed])
  expect(news.take([{ ...failed, problem: { ...problem, message: "It is busy." } }])).toEqual([])
  expect(news.take([opened])).toEqual([opened])
})

test("what the list said is not told again", () => {
  const other = { device: "gps" }
  const news = new DeviceNews("local", [opened, { ...failed, ...other }])
  expect(news.take([opened, { ...failed, ...other }])).toEqual([])
  expect(news.take([opened, { ...opened, ...other }])).toEqual([{ ...opened, ...other }])
})

test("a port that is plugged in later is told, and one of another gateway is not", () => {
  const news = new DeviceNews("local", [])
  expect(news.take([found, { ...opened, gateway: "lab" }])).toEqual([found])
})

test("however many devices come, the lines are bounded", () => {
  const news = new DeviceNews("local", [opening])
  const many = Array.from({ length: 1_000 }, (_, at) => ({ ...found, device: `tty-${at}` }))
  expect(news.take(many)).toHaveLength(256)
  expect(news.take(many.map((state) => ({ ...state, device: `${state.device}-2` })))).toEqual([])
  expect(news.take(many.map((state) => ({ ...opened, device: state.device })))).toHaveLength(256)
})
