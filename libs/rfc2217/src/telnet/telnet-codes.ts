/** What follows IAC (RFC 854, section "Telnet command structure"; SB and SE: RFC 855; EOF, SUSP, ABORT: RFC 1184; EOR: RFC 885). */
export const telnet = {
  eof: 0xec,
  susp: 0xed,
  abort: 0xee,
  eor: 0xef,
  se: 0xf0,
  nop: 0xf1,
  brk: 0xf3,
  ip: 0xf4,
  ayt: 0xf6,
  sb: 0xfa,
  will: 0xfb,
  wont: 0xfc,
  do: 0xfd,
  dont: 0xfe,
  iac: 0xff,
} as const

/** Numbers of the options that serial ports need: RFC 856, 857, 858, 860 and 2217. */
export const telnetOption = { binary: 0, echo: 1, suppressGoAhead: 3, timingMark: 6, comPort: 44 } as const

export type Verb = "will" | "wont" | "do" | "dont"
