import { AppError } from "@serialcast/contract"
import { expect, test } from "vitest"
import { loadConfig } from "./load-config.ts"

function load(...webhooks: readonly object[]) {
  return loadConfig({ values: { resources: { webhooks } }, env: {} }).resources.webhooks
}

function problems(...webhooks: readonly object[]): readonly string[] {
  try {
    load(...webhooks)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return (error as AppError).message.split("\n")
  }
}

const hook = { uri: "/temp", url: "https://example.org/hook?x=1", secret: { file: "/run/secrets/hook" } }

test("a webhook tells of changes of one resource, unless it says otherwise", () => {
  expect(load(hook)).toEqual([{ ...hook, methods: ["PUT", "POST", "DELETE"], recursive: false }])
  expect(load({ ...hook, methods: ["GET"], recursive: true })[0]).toMatchObject({
    methods: ["GET"],
    recursive: true,
  })
})

test.each(["temp", "/temp/", "//", "/a/../b", "/.", "/a\nb", `/${"x".repeat(512)}`, 7])(
  "%j is the uri of no resource",
  (uri) => {
    expect(problems({ ...hook, uri })).toEqual([
      expect.stringMatching(/^resources\.webhooks\.0\.uri: expected the uri of a resource/),
    ])
  },
)

test.each(["/", "/a b/%2F+#?", "/.a/..b"])("%j is one", (uri) => {
  expect(load({ ...hook, uri })[0]?.uri).toBe(uri)
})

test.each(["ftp://example.org/", "example.org", "https://", "file:///etc/passwd", 7])(
  "%j is no URL that is asked",
  (url) => {
    expect(problems({ ...hook, url })).toEqual([
      expect.stringMatching(/^resources\.webhooks\.0\.url: expected a URL like/),
    ])
  },
)

test("credentials in a URL are refused, and not shown", () => {
  const [problem = ""] = problems({ ...hook, url: "https://me:hunter2@example.org/" })
  expect(problem).toMatch(/^resources\.webhooks\.0\.url: expected a URL .* without a user and a password/)
  expect(problem).not.toContain("hunter2")
})

test.each([["hunter2"], [424_277], [{ text: "hunter2" }]])("%j is no secret, and is not shown", (secret) => {
  const found = problems({ ...hook, secret }).join("\n")
  expect(found).toMatch(/^resources\.webhooks\.0\.secret/)
  expect(found).not.toMatch(/hunter2|424277/)
})

test("every problem is named", () => {
  const { secret: _, ...unsigned } = hook
  expect(problems({ ...hook, methods: [] }, unsigned, { ...hook, methods: ["PATCH"], recursive: 1 })).toEqual(
    [
      expect.stringMatching(
        /^resources\.webhooks\.0\.methods: expected a list of GET, HEAD, PUT, POST and DELETE/,
      ),
      expect.stringMatching(/^resources\.webhooks\.1\.secret: expected a file/),
      expect.stringMatching(/^resources\.webhooks\.2\.methods\.0: expected a list of GET/),
      expect.stringMatching(/^resources\.webhooks\.2\.recursive: expected true or false/),
    ],
  )
  expect(problems(...Array.from({ length: 65 }, () => hook))).toHaveLength(1)
})
