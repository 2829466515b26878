import { z } from "zod"
import type { ResourcesConfig } from "./config.ts"
import { byteAmount, deviceAddress, listenAddress } from "./fields.ts"
import { forwards, resourceMethods } from "./forward-schema.ts"
import { tlsFiles } from "./tls-files.ts"
import { webhookSchema } from "./webhook-schema.ts"

// In base64 a value has to fit into a message with its type and address.
const maxValueBytes = 128 * 1024
const expectedBody = "expected a size of at most 128KiB, like 32KiB"
// Each list of the index has to fit into a message, whatever the addresses.
const maxResources = 16_384
const expectedCount = `expected a number from 1 to ${maxResources}`

// Each may hold a mebibyte that its receiver does not take.
const maxWebhooks = 64

const expectedPrefix = "expected 1 to 16 visible ASCII characters without a space, like @res"
const ownResources = z.strictObject({
  prefix: z
    .string(expectedPrefix)
    .regex(/^[!-~]{1,16}$/, expectedPrefix)
    .describe(
      'What its lines about its own resources begin with, like `@res`: `@res /temp application/json {"c":21.5}`',
    ),
  methods: resourceMethods.default(["GET"]).describe("Methods that those resources take"),
})

/** `resources` of the configuration. */
export const resourcesShape = {
  listen: listenAddress.prefault("127.0.0.1:8082").describe("Where the resource server listens"),
  maxUri: z
    .number(expectedCount)
    .int(expectedCount)
    .min(1, expectedCount)
    .max(maxResources, expectedCount)
    .default(100)
    .describe("How many resources there may be; one more is answered with 507"),
  maxBody: byteAmount
    .refine((bytes) => bytes <= maxValueBytes, expectedBody)
    .prefault("32KiB")
    .describe("Of one value; more is answered with 413"),
  maxBytes: byteAmount.prefault("2MiB").describe("Of all values together; more is answered with 507"),
  html: z
    .boolean()
    .default(false)
    .describe(
      "Whether HTML, SVG and other types in which browsers run code are served as such, in a sandbox, and not as plain text",
    ),
  devices: z
    .record(deviceAddress, ownResources)
    .default({})
    .describe("Devices that may set resources below their own address, as `<gateway>/<device>`"),
  forward: forwards,
  tls: tlsFiles("clients then ask by `https://`")
    .nullable()
    .default(null)
    .describe("Clients come through TLS; `null`: they do not"),
  webhooks: z
    .array(webhookSchema, "expected a list of webhooks")
    .max(maxWebhooks, `expected at most ${maxWebhooks} webhooks`)
    .default([])
    .describe("Who is told of requests for resources, by a request to a URL"),
} satisfies Record<keyof ResourcesConfig, z.ZodType>
