# Uses everything that pySerial has on a device that echoes: `all-of-a-port.py <url> <bytes> [uart]`.
# With `uart` it is more than a terminal: it has frames of other shapes than 8N1, and drives CTS by RTS, DSR and DCD by DTR.
import hashlib
import random
import sys
import threading
import time

import serial

url, count, *rest = sys.argv[1:]


def eventually(check):
    until = time.monotonic() + 10
    while not check():
        assert time.monotonic() < until, "did not become true"
        time.sleep(0.02)


def echo(port, data):
    writer = threading.Thread(target=port.write, args=(data,))
    writer.start()
    echoed = port.read(len(data))
    writer.join()
    assert len(echoed) == len(data), f"{len(echoed)} of {len(data)} bytes came back"
    assert hashlib.sha256(echoed).digest() == hashlib.sha256(data).digest(), "other bytes came back"


for _ in range(3):
    with serial.serial_for_url(url, timeout=30) as port:
        echo(port, bytes(range(256)))

port = serial.serial_for_url(url, do_not_open=True, timeout=30)
port.dtr = False
port.rts = False
port.open()
with port:
    if url.startswith("rfc2217"):
        for baudrate in (9600, 57600, 115200, 921600, 3_000_000):
            port.baudrate = baudrate
        for name in ("rtscts", "xonxoff"):
            setattr(port, name, True)
            setattr(port, name, False)
        port.reset_input_buffer()
        port.reset_output_buffer()
        port.dtr = True
        port.rts = True
        port.break_condition = True
        port.break_condition = False
        # What the break left of itself.
        time.sleep(0.2)
        port.reset_input_buffer()
    if "uart" in rest:
        for bytesize in (7, 8):
            port.bytesize = bytesize
        for parity in "EOMSN":
            port.parity = parity
        for stopbits in (2, 1):
            port.stopbits = stopbits
        for state in (False, True):
            port.rts = state
            eventually(lambda: port.cts == state)
            port.dtr = state
            eventually(lambda: port.dsr == state and port.cd == state)
        assert not port.ri
    seed = random.randrange(2**32)
    print("seed", seed)
    echo(port, random.Random(seed).randbytes(int(count)))
print("all done")
