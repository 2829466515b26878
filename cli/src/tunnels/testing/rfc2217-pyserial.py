"""Does with pySerial what standard input says, one JSON object a line, and answers each with one line.

`seconds` of an answer is how long it took.
"""

import json
import sys
import time

import serial


def do(port, command):
    name = command["do"]
    if name == "open":
        port = serial.serial_for_url(command["url"], do_not_open=True, **command.get("options", {}))
        for attribute, value in command.get("before", {}).items():
            setattr(port, attribute, value)
        port.open()
        return port, None
    if name == "close":
        port.close()
        return None, None
    if name == "set":
        for attribute, value in command["values"].items():
            setattr(port, attribute, value)
        return port, None
    if name == "get":
        return port, {attribute: getattr(port, attribute) for attribute in command["names"]}
    if name == "call":
        return port, getattr(port, command["method"])(*command.get("arguments", []))
    if name == "sequence":
        # Line changes as esptool makes them: D and R for the line, 0 and 1 for its state, W for seconds.
        for step in command["steps"].split("|"):
            if step[0] == "W":
                time.sleep(float(step[1:]))
            else:
                setattr(port, {"D": "dtr", "R": "rts"}[step[0]], step[1] == "1")
        return port, None
    if name == "write":
        return port, port.write(bytes.fromhex(command["hex"]))
    if name == "read":
        return port, port.read(command["count"]).hex()
    if name == "echo":
        return port, echo(port, command["count"])
    raise ValueError(name)


def echo(port, count):
    """Sends all byte values again and again; answers where what comes back is different, None: nowhere."""
    sent = (bytes(range(256)) * (count // 256 + 1))[:count]
    at = 0
    received = bytearray()
    while len(received) < count:
        if at < count and at - len(received) < 64 * 1024:
            at += port.write(sent[at : at + 16 * 1024])
        block = port.read(min(16 * 1024, at - len(received)))
        if not block:
            return len(received)
        received += block
    return None if received == sent else next(i for i in range(count) if received[i] != sent[i])


port = None
for line in sys.stdin:
    start = time.monotonic()
    try:
        port, value = do(port, json.loads(line))
        answer = {"value": value}
    except Exception as error:
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    answer["seconds"] = time.monotonic() - start
    print(json.dumps(answer), flush=True)
