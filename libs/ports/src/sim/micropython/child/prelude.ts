/**
 * What a board has and the WebAssembly build has not, in Python: standard streams whose `buffer` is the wire with bare
 * bytes, `input()`, which the build has no blocking input for, sleeping that Ctrl-C ends and that costs nothing, and of
 * `machine` what makes sense here. The devices are opened before the root becomes the flash.
 * `VfsPosix` has one buffer for paths below its root, so that two absolute ones would be one: `rename` gives it one alone.
 */
export const prelude = `
import builtins, io, os, select, struct, sys, time, vfs

_uart = open("/dev/uart", "r+b", 0)
_sleep = open("/dev/sleep", "wb", 0)
_dropped = open("/dev/dropped", "rb", 0)
_stdin, _stdout, _sys = sys.stdin, sys.stdout, sys

class Text(io.IOBase):
    def __init__(self, stream):
        self._stream = stream
        self.buffer = _uart
    def read(self, n=-1):
        return self._stream.read(n)
    def readline(self, n=-1):
        return self._stream.readline(n)
    def readlines(self):
        return self._stream.readlines()
    def readinto(self, buf):
        return self._stream.readinto(buf)
    def write(self, data):
        return self._stream.write(data)
    def flush(self):
        pass
    def ioctl(self, request, arg):
        if request != 3:
            return 0
        poll = select.poll()
        poll.register(_uart, arg)
        return sum(event for _, event in poll.poll(0))
    def __iter__(self):
        return self
    def __next__(self):
        return self.readline()

class Sys:
    stdin = Text(_stdin)
    stdout = Text(_stdout)
    stderr = Text(_stdout)
    __name__ = "sys"
    def __getattr__(self, name):
        return getattr(_sys, name)

class Machine:
    __name__ = "machine"
    def rx_dropped(self):
        return struct.unpack("<I", _dropped.read(4))[0]
    def reset(self):
        raise SystemExit
    soft_reset = reset
    def unique_id(self):
        return b"simulated"

_ms = bytearray(4)

def sleep_ms(ms):
    struct.pack_into("<I", _ms, 0, max(0, int(ms)))
    _sleep.write(_ms)

def input(prompt=""):
    _stdout.write(str(prompt))
    line = bytearray()
    while True:
        key = _uart.read(1)
        if key in b"\\r\\n":
            _stdout.write("\\n")
            return line.decode()
        if key == b"\\x04" and not line:
            raise EOFError
        if key in b"\\x08\\x7f":
            if line:
                line = line[:-1]
                _stdout.write("\\x08 \\x08")
        elif key >= b" ":
            line.extend(key)
            _uart.write(key)

_rename = os.rename

def rename(old, new):
    here = os.getcwd()
    if new[:1] == "/" and old[:1] != "/":
        old = here.rstrip("/") + "/" + old
    if new[:1] != "/" or old == new:
        return _rename(old, new)
    os.chdir("/")
    try:
        _rename(old, new[1:])
    finally:
        os.chdir(here)

os.rename = rename
builtins.input = input
time.sleep_ms = sleep_ms
time.sleep = lambda s: sleep_ms(s * 1000)
time.sleep_us = lambda us: sleep_ms(us // 1000)
sys.modules["sys"] = Sys()
sys.modules["machine"] = Machine()
vfs.umount("/")
vfs.mount(vfs.VfsPosix("/flash"), "/")
os.chdir("/")
`
