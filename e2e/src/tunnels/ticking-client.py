# Sends numbered lines to a device that echoes, and says what became of each: `ticking-client.py <url>`.
import sys

import serial

with serial.serial_for_url(sys.argv[1], timeout=0.2) as port:
    for number in range(1_000_000):
        tick = b"tick %d\n" % number
        try:
            port.write(tick)
            answer = b""
            while not answer.endswith(b"\n"):
                part = port.read(1)
                if part == b"":
                    break
                answer += part
        except serial.SerialException as error:
            print("ended", error)
            break
        print("echoed" if answer == tick else "other" if answer else "silent", number)
