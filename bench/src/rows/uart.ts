/** What 115,200 baud carries with a start and a stop bit. */
export const uartBytesPerSecond = 11_500

/** What a full-speed USB adapter hands over at a time while its device is busy. */
export const usbPacketBytes = 64
