"""What the official WebREPL client does with a file, in the same words: `-p password from to`, of which one is `host:port:path`.

As that one it masks nothing, gives a key that is none, and asks for the board's version first.
"""

import socket
import struct
import sys

PUT, GET, VERSION = 1, 2, 3


def frame(kind, payload):
    size = len(payload)
    head = bytes([0x80 | kind, size]) if size < 126 else struct.pack(">BBH", 0x80 | kind, 126, size)
    return head + payload


class Client:
    def __init__(self, host, port, password):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.stream = self.socket.makefile("rb")
        self.binary = b""
        lines = ["GET / HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: foo"]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        assert b" 101 " in self.stream.readline(), "no upgrade"
        while self.stream.readline().strip():
            pass
        said = b""
        while not said.endswith(b": "):
            said += self.next_frame()[1]
        self.send(password.encode() + b"\r")

    def next_frame(self):
        kind, size = self.stream.read(2)
        if size == 126:
            (size,) = struct.unpack(">H", self.stream.read(2))
        return kind & 0x0F, self.stream.read(size)

    def send(self, payload):
        self.socket.sendall(frame(2, payload))

    def read(self, size):
        """So many bytes of the binary frames; text is the terminal's."""
        while len(self.binary) < size:
            kind, payload = self.next_frame()
            assert kind != 8, "closed"
            if kind == 2:
                self.binary += payload
        taken, self.binary = self.binary[:size], self.binary[size:]
        return taken

    def ask(self, kind, name="", size=0):
        encoded = name.encode()
        self.send(struct.pack("<2sBBQLH64s", b"WA", kind, 0, 0, size, len(encoded), encoded))

    def confirm(self):
        signature, code = struct.unpack("<2sH", self.read(4))
        assert (signature, code) == (b"WB", 0), f"refused with {code}"


def put(client, name, data):
    client.ask(PUT, name, len(data))
    client.confirm()
    for at in range(0, len(data), 1024):
        client.send(data[at : at + 1024])
    client.confirm()


def get(client, name):
    client.ask(GET, name)
    client.confirm()
    data = b""
    while True:
        client.send(b"\0")
        (size,) = struct.unpack("<H", client.read(2))
        if size == 0:
            client.confirm()
            return data
        data += client.read(size)


def remote(text):
    host, port, path = text.split(":")
    return host, int(port), path


option, password, source, target = sys.argv[1:]
assert option == "-p"
is_put = ":" in target
host, port, path = remote(target if is_put else source)
client = Client(host, port, password)
client.ask(VERSION)
print("version", ".".join(str(part) for part in client.read(3)))
if is_put:
    with open(source, "rb") as file:
        put(client, path, file.read())
else:
    data = get(client, path)
    with open(target, "wb") as file:
        file.write(data)
