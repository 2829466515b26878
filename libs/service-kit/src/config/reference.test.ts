import { expect, test } from "vitest"
import { configKeys } from "./config-keys.ts"
import { configJsonSchema } from "./json-schema.ts"
import { configReference } from "./reference.ts"

test("every key has a meaning, and every scalar outside lists and maps a variable", () => {
  for (const { path, node, variable } of configKeys()) {
    expect(node.description, path.join(".")).toBeTruthy()
    const isList = ["tunnels", "webrepl", "forward", "webhooks", "hosts"].includes(path.at(-1) ?? "")
    const isInside = isList || path.includes("[]") || path.includes("<name>")
    expect(variable === null, path.join(".")).toBe(isInside)
  }
  expect(configKeys().map(({ variable }) => variable)).toEqual(
    expect.arrayContaining([
      "SERIALCAST_HTTP_LISTEN",
      "SERIALCAST_BROKER_CLIENT_BUFFER_BYTES",
      "SERIALCAST_ACCESS",
      "SERIALCAST_ACCESS_TOKEN_FILE",
      "SERIALCAST_DISCOVER",
    ]),
  )
})

test("the reference shows key, type, default, variable and meaning", () => {
  expect(configReference()).toContain(
    "| `http.hexServer` | `true`, `false` | `true` | `SERIALCAST_HTTP_HEX_SERVER` | Whether `/readbytes`",
  )
  expect(configReference()).toContain(
    "| `resources.webhooks.[].methods` | list | `PUT`, `POST`, `DELETE` |  | Of the",
  )
  expect(configReference()).toContain("| `resources.webhooks` | list | none |  | Who")
  expect(configReference()).toContain("| `devices.<name>.dataBits` | `5`, `6`, `7`, `8` | `8` |  | Bits of")
})

test("a key of only some kinds of tunnels says of which, and the kind itself has all values", () => {
  expect(configReference()).toContain(
    "| `tunnels.[].readOnly` | `true`, `false` | `false` |  | `raw`: Whether what clients send is thrown away |",
  )
  expect(configReference()).toMatch(/`tunnels\.\[]\.device` \| gateway\/device \|  \|  \| Device/)
  expect(configReference()).toContain(
    "| `tunnels.[].type` | `raw`, `rfc2217`, `serialtcp-server`, `serialtcp-client` |",
  )
})

test("the JSON Schema refuses what the program refuses", () => {
  expect(configJsonSchema()).toMatchObject({ type: "object", additionalProperties: false })
})
