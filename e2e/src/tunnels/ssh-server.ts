import { mkdir, writeFile } from "node:fs/promises"
import { userInfo } from "node:os"
import { join } from "node:path"
import { freePort } from "@serialcast/testkit"
import type { Workplace } from "./workplace.ts"

export interface SshServer {
  /** On 127.0.0.1. */
  readonly port: number
  /** Who may log in. */
  readonly user: string
}

/**
 * An sshd with a host key of its own, until the test is over. The `ssh` of the workplace has the key to it, and believes
 * every host.
 */
export async function startSshServer(place: Workplace): Promise<SshServer> {
  const port = await freePort()
  const { username: user } = userInfo()
  const file = (name: string) => join(place.folder, name)
  await place.sh("ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f login")
  // Debian's sshd wants it, and only its service makes it.
  await mkdir("/run/sshd", { recursive: true })
  const config = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${file("host")}`,
    `AuthorizedKeysFile ${file("login.pub")}`,
    "PidFile none",
    "PasswordAuthentication no",
    "UsePAM no",
    // The folder of the test lies in one that everybody may write to.
    "StrictModes no",
  ]
  await writeFile(file("sshd_config"), `${config.join("\n")}\n`)
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "BatchMode=yes",
    "LogLevel=ERROR",
  ]
  const given = options.map((option) => `-o ${option}`).join(" ")
  await place.addProgram("ssh", `#!/bin/sh\nexec /usr/bin/ssh -F none -i ${file("login")} ${given} "$@"\n`)
  // It wants to be started by its whole path.
  const server = place.start(`/usr/sbin/sshd -D -e -f ${file("sshd_config")}`)
  await server.said(/Server listening/)
  return { port, user }
}
