import { stat } from "node:fs/promises"
import { AppError } from "@serialcast/contract"

/** Says why a tty could not be opened, and what to do about it. */
export async function explainOpenError(path: string, cause: unknown): Promise<AppError> {
  const text = cause instanceof Error ? cause.message : String(cause)
  return new AppError("open_failed", await explain(path, text), { cause })
}

async function explain(path: string, said: string): Promise<string> {
  // The tools and serialport answer texts, not codes. The path in them may contain any word.
  const text = said
    .replaceAll(path, "")
    .replace(/^Error:? /, "")
    .replace(/, (?:cannot )?open.*$/, "")
  if (/No such file|No such device/i.test(text))
    return `${path} is not there; plug the device in or correct its port.`
  if (/Permission denied/i.test(text)) {
    return `No permission to open ${path}; let this user into the group that owns it (ls -l ${path}): usermod -aG, or group_add of the container.`
  }
  if (/Operation not permitted/i.test(text)) {
    const rule = await deviceRule(path)
    return `The container may not open ${path}; add ${JSON.stringify(rule)} to its device_cgroup_rules.`
  }
  if (/lock|busy|temporarily unavailable/i.test(text))
    return `${path} is in use by another program; close that program.`
  if (/Inappropriate ioctl|on a directory|Is a directory|Not a directory/i.test(text))
    return `${path} is not a serial port; correct the device's port.`
  return `${path} cannot be opened: ${text.trim().replace(/[.,]?$/, ".")}`
}

/** The cgroup rule that allows the device's major number, as docker's `device_cgroup_rules` takes it. */
async function deviceRule(path: string): Promise<string> {
  try {
    const { rdev } = await stat(path)
    // Linux's encoding of a device number: makedev(3).
    const major = ((rdev >> 8) & 0xfff) | (Math.floor(rdev / 2 ** 32) & 0xfffff000)
    return `c ${major}:* rw`
  } catch {
    return "c <major>:* rw"
  }
}
