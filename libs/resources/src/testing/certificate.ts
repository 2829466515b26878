import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createTemporaryFolder, type TemporaryFolder } from "@serialcast/testkit"

export interface TestCertificate {
  readonly keyfile: string
  readonly certfile: string
  readonly key: Uint8Array
  readonly cert: Uint8Array
  readonly folder: TemporaryFolder
}

/** A certificate for localhost that its own key signed; in a folder that goes with whoever disposes it. */
export function createCertificate(): TestCertificate {
  const folder = createTemporaryFolder()
  const [certfile, keyfile] = [`${folder.path}/cert.pem`, `${folder.path}/key.pem`]
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
  const files = ["-keyout", keyfile, "-out", certfile]
  execFileSync("openssl", ["req", "-x509", ...kind, ...subject, ...files], { stdio: "ignore" })
  return { keyfile, certfile, key: readFileSync(keyfile), cert: readFileSync(certfile), folder }
}
