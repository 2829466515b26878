/** Error numbers of WASI, which Emscripten uses, and what they are in MicroPython, which uses those of Linux. */
const linuxErrors: Readonly<Record<number, number>> = {
  2: 13, // EACCES
  6: 11, // EAGAIN
  8: 9, // EBADF
  10: 16, // EBUSY
  20: 17, // EEXIST
  28: 22, // EINVAL
  29: 5, // EIO
  31: 21, // EISDIR
  33: 24, // EMFILE
  44: 2, // ENOENT
  51: 28, // ENOSPC
  54: 20, // ENOTDIR
  55: 39, // ENOTEMPTY
  63: 1, // EPERM
  70: 29, // ESPIPE
  75: 18, // EXDEV
}

/** Stays as it is: the C library of the build knows it by this number, takes the interrupt, and tries again. */
export const interruptedCall = 27
export const noSpaceLeft = 51

export function toLinuxError(errno: number): number {
  return linuxErrors[errno] ?? errno
}
