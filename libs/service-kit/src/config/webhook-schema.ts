import { z } from "zod"
import type { WebhookConfig } from "./config.ts"
import { filePath } from "./fields.ts"

const maxUriBytes = 512
const expectedUri =
  "expected the uri of a resource, decoded, like /temp: a slash before each segment, and none at the end"
const expectedMethods = "expected a list of GET, HEAD, PUT, POST and DELETE, at least one"
const expectedUrl =
  "expected a URL like https://example.org/hook, without a user and a password: what is sent is signed instead"
const expectedSecret = "expected a file, as `{ file: /path/of/a/file }`"

/** One entry of `resources.webhooks`. */
export const webhookSchema: z.ZodType<WebhookConfig> = z.strictObject({
  uri: z
    .string(expectedUri)
    .refine(isUri, expectedUri)
    .describe("The resource; requests that met it are told, whatever became of them")
    .meta({ format: "resource" }),
  methods: z
    .array(z.enum(["GET", "HEAD", "PUT", "POST", "DELETE"], expectedMethods), expectedMethods)
    .min(1, expectedMethods)
    .default(["PUT", "POST", "DELETE"])
    .describe("Of the requests that are told"),
  url: z
    .string(expectedUrl)
    .refine(isHookUrl, expectedUrl)
    .describe("Where the event is sent, by POST, as on the topic of resource events")
    .meta({ format: "url" }),
  secret: z.strictObject(
    { file: filePath.describe("File whose one line, of 16 characters or more, the event is signed with") },
    expectedSecret,
  ),
  recursive: z.boolean().default(false).describe("Whether those below it are meant too"),
})

/** As the resource server names resources: nothing else would ever be met. */
function isUri(uri: string): boolean {
  if (Buffer.byteLength(uri) > maxUriBytes || /[\p{Cc}\p{Surrogate}]/u.test(uri)) return false
  const segments = uri.slice(1).split("/")
  return uri === "/" || (uri.startsWith("/") && !segments.some((one) => ["", ".", ".."].includes(one)))
}

function isHookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && username === "" && password === ""
}
