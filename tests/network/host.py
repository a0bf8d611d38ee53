"""Becomes a host of its own: a network namespace whose only link is in the hands of the test.

``unshare -rn python host.py ADDRESS SOCKET COMMAND ...`` makes a point-to-point link (a TUN
device), sends its end over the Unix socket with that descriptor, and becomes the command.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000


def main() -> None:
    """Set up the link and run the command."""
    address, descriptor, *command = sys.argv[1:]
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TUN | IFF_NO_PI))
    for words in (f"addr add {address} dev wire", "link set wire up", "link set lo up"):
        subprocess.run(["ip", *words.split()], check=True)
    with socket.socket(fileno=int(descriptor)) as test:
        socket.send_fds(test, [b"wire"], [tun])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
