import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startResourceProcesses } from "./testing/resource-processes.ts"

const maxUri = 601

test("1,000 POSTs at once to two processes make as many children as there may be, and the others are answered with 507", async () => {
  const processes = await startResourceProcesses({ servers: 2, maxUri })
  onTestFinished(() => processes[Symbol.asyncDispose]())
  const [url = "", other = ""] = processes.urls
  const post = (at: string, body: string) => fetch(at, { method: "POST", body })
  await eventually(async () =>
    expect((await post(`${url}/api/v1/resources`, '{"uri":"/p"}')).status).toBe(201),
  )
  await eventually(async () => expect((await fetch(`${other}/p`)).status).toBe(200))
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, async (_, n) => {
      const answer = await post(`${n % 2 === 0 ? url : other}/p`, `${n}`)
      return { n, status: answer.status, at: answer.headers.get("location") ?? "" }
    }),
  )
  const made = answers.filter(({ status }) => status === 201)
  expect(new Set(made.map(({ at }) => at)).size).toBe(maxUri - 1)
  expect(answers.filter(({ status }) => status === 507)).toHaveLength(1_000 - made.length)
  for (const { n, at } of made.slice(0, 50))
    for (const one of processes.urls) expect(await (await fetch(one + at)).text()).toBe(`${n}`)
  const lists = await Promise.all(
    processes.urls.map(async (one) => await (await fetch(`${one}/api/v1/resources`)).json()),
  )
  expect(lists[0]).toEqual(lists[1])
})
