import { readFile } from "node:fs/promises"
import { expect, test } from "vitest"
import { signatureOf } from "./sign.ts"

type IsGenuine = (signature: string | undefined, body: Uint8Array, secret: string, nowMs?: number) => boolean

/** The example of the README, as it stands there. */
async function example(): Promise<IsGenuine> {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8")
  const code = /```js\n(.*?)```/s.exec(readme)?.[1] ?? ""
  const url = `data:text/javascript,${encodeURIComponent(code)}`
  const { isGenuine } = (await import(/* @vite-ignore */ url)) as { readonly isGenuine: IsGenuine }
  return isGenuine
}

const secret = "a secret of some length"
const body = Buffer.from('{"uri":"/temp"}')
const atMs = Date.UTC(2030, 0, 1, 12) + 999

test("is the HMAC of time, dot and body", () => {
  // printf '1893499200.{"uri":"/temp"}' | openssl dgst -sha256 -hmac 'a secret of some length'
  expect(signatureOf(Buffer.from(secret), body, atMs)).toBe(
    "t=1893499200,v1=69b368e26dc2576a7bf32e08556193cb28a24782eeb31716c5b42c227a3e8e51",
  )
})

test("the example of the README takes it, and nothing that was changed, or is old", async () => {
  const isGenuine = await example()
  const signature = signatureOf(Buffer.from(secret), body, atMs)
  expect(isGenuine(signature, body, secret, atMs)).toBe(true)
  expect(isGenuine(signature, body, secret, atMs + 299_000)).toBe(true)
  for (const [wrong, what, key, nowMs] of [
    [signature, Buffer.from('{"uri":"/tem"}'), secret, atMs],
    [signature, body, `${secret} `, atMs],
    [signature, body, secret, atMs + 301_000],
    [signature.replace("t=1893499200", "t=1893499201"), body, secret, atMs],
    [signature.slice(0, -2), body, secret, atMs],
    [undefined, body, secret, atMs],
  ] as const)
    expect(isGenuine(wrong, what, key, nowMs)).toBe(false)
})
