"""Run by the tests: pySerial's RFC 2217 server (PortManager) in front of a terminal, one client at a time.

A terminal has no modem lines, which pySerial does not survive: here they are looped back, RTS to CTS and DTR to DSR and DCD.
Prints its TCP port, then reads the path of the terminal.
"""
import socket
import sys
import threading

import serial
import serial.rfc2217


class LoopedLines(serial.Serial):
    def _update_dtr_state(self):
        pass

    def _update_rts_state(self):
        pass

    def _update_break_state(self):
        pass

    cts = property(lambda self: self.rts)
    dsr = property(lambda self: self.dtr)
    cd = property(lambda self: self.dtr)
    ri = property(lambda self: False)


class Connection:
    def __init__(self, client):
        self.client = client
        self.lock = threading.Lock()

    def write(self, data):
        with self.lock:
            self.client.sendall(data)


def serve(port, client):
    connection = Connection(client)
    manager = serial.rfc2217.PortManager(port, connection)
    is_open = True

    def read_device():
        while is_open:
            data = port.read(port.in_waiting or 1)
            try:
                if data:
                    connection.write(b"".join(manager.escape(data)))
                manager.check_modem_lines()
            except OSError:
                return

    reader = threading.Thread(target=read_device)
    reader.start()
    try:
        while True:
            data = client.recv(4096)
            if not data:
                break
            port.write(b"".join(manager.filter(data)))
    except OSError:
        pass
    is_open = False
    client.close()
    reader.join()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
path = sys.stdin.readline().strip()
port = LoopedLines(path, 115200, timeout=0.05)
while True:
    client, _ = listener.accept()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    serve(port, client)
