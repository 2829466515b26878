# What esptool does to a port, call by call: `esptool-calls.py <url> [bootloader | reset]...`.
import sys
import time

import serial

url, *sequences = sys.argv[1:]
port = serial.serial_for_url(url, exclusive=True, do_not_open=True)
port.open()


def set_dtr(state):
    port.dtr = state


def set_rts(state):
    port.rts = state
    # Drivers of Windows pass RTS on only with the next change of DTR; it is done everywhere.
    port.dtr = port.dtr


def bootloader():
    set_dtr(False)
    set_rts(True)
    time.sleep(0.1)
    set_dtr(True)
    set_rts(False)
    time.sleep(0.05)
    set_dtr(False)


def reset():
    set_rts(True)
    time.sleep(0.1)
    set_rts(False)


port.baudrate = 115200
for sequence in sequences:
    {"bootloader": bootloader, "reset": reset}[sequence]()
    port.reset_input_buffer()
    port.baudrate = 460800
    port.write(b"\xc0\x00\x08\x24\x00\xc0")
    print(port.read(6).hex())
port.close()
