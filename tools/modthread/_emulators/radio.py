"""The radio of an emulated Pico W: rp2040py's, on a network that the host can reach, too.

rp2040py has an access point without a password, an address for the board, and a gateway that opens
the board's TCP connections and sends its datagrams from sockets of the host. Here in addition:
ports of the board that the host can connect to, the host itself as the gateway, as in QEMU's user
network, and names that the host's resolver knows.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rp2040py.external.cyw43 import Cyw43439, net
from rp2040py.external.cyw43.bus import SDPCM_HEADER_LEN, GSPIBus
from rp2040py.external.cyw43.nat import (
    GATEWAY_IP,
    GATEWAY_MAC,
    GUEST_IP,
    NatBridge,
    TcpFlow,
    TcpFlowKey,
    TcpReflector,
    UdpRelay,
)

from modthread._emulators.forward import LOOPBACK, Forward

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

PINS = frozenset({23, 24, 25, 29})  # what an RP2040 talks to the radio with, on a Pico W
DNS = 53
SYN_PERIOD = 1.0  # seconds of the host's time
SYNS = 20
MSS = 1460
A, IN = 1, 1  # RFC 1035, 3.2
FAILED_NAME = 3  # RFC 1035, 4.1.1: no such name

Send = Callable[[bytes], None]


def text(address: bytes) -> str:
    """Return an address as people write it."""
    return socket.inet_ntoa(address)


class Connections(TcpReflector):
    """The TCP connections of the board; those of the host to it, too."""

    def __init__(self, rp2040: "RP2040", send: Send) -> None:
        super().__init__(rp2040, send, connect_fn=self._open)
        self._send = send
        self._answered: dict[TcpFlowKey, asyncio.Event] = {}

    @staticmethod
    async def _open(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect for the board; the gateway is the host."""
        return await asyncio.open_connection(LOOPBACK if host == text(GATEWAY_IP) else host, port)

    async def accept(
        self,
        mac: bytes,
        port: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Pass a connection on to the board's `port`; it appears to come from the gateway."""
        key = TcpFlowKey(port, GATEWAY_IP, writer.get_extra_info("peername")[1])
        flow = TcpFlow(key, mac, GUEST_IP, 0, 0, 0, MSS, reader=reader, writer=writer)
        flow.pump_task = asyncio.current_task()
        self._flows[key] = flow
        answered = self._answered[key] = asyncio.Event()
        syn = self._build_tcp_frame(flow, flags=net.TCP_SYN, seq=flow.host_iss, ack=0, mss=MSS)
        try:
            for _ in range(SYNS):
                self._send(syn)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(answered.wait(), SYN_PERIOD)
                    break
            else:
                writer.transport.abort()
                self._flows.pop(key, None)
                return
        finally:
            del self._answered[key]
        await self._pump_host_to_guest(flow)

    def _on_guest_segment(self, flow: TcpFlow, tcp: "net.TcpSegment") -> None:
        answered = self._answered.get(flow.key)
        if not answered or tcp.flags & net.TCP_RST:
            if tcp.flags & net.TCP_RST and flow.writer:
                flow.writer.transport.abort()  # the client is to see it
            super()._on_guest_segment(flow, tcp)
        elif tcp.flags & net.TCP_SYN and not answered.is_set():
            flow.guest_next_seq = (tcp.seq + 1) & 0xFFFFFFFF
            flow.guest_window = tcp.window
            flow.mss = min(tcp.mss or MSS, MSS)
            flow.state = type(flow.state).ESTABLISHED
            answered.set()
            self._send(self._build_tcp_frame(flow, flags=net.TCP_ACK))


class Datagrams(UdpRelay):
    """The board's datagrams; those to the gateway's port for names are answered here."""

    def __init__(self, rp2040: "RP2040", send: Send) -> None:
        super().__init__(rp2040, send)
        self._send = send

    def maybe_handle(self, eth: "net.EthernetFrame") -> bool:
        """Return whether the frame has a datagram, after it has been passed on."""
        ip = net.parse_ipv4(eth.payload)
        udp = net.parse_udp(ip.payload) if ip and ip.proto == net.IP_PROTO_UDP else None
        if not (ip and udp and ip.dst_ip == GATEWAY_IP and udp.dst_port == DNS):
            return bool(super().maybe_handle(eth))
        self._rp2040.schedule_threadsafe(self._name(eth.src_mac, ip.src_ip, udp))
        return True

    async def _name(self, mac: bytes, address: bytes, query: "net.UdpDatagram") -> None:
        answer = await _resolved(query.payload)
        if answer:
            udp = net.pack_udp(GATEWAY_IP, address, DNS, query.src_port, answer)
            ip = net.pack_ipv4(GATEWAY_IP, address, net.IP_PROTO_UDP, udp)
            self._send(net.pack_ethernet(mac, GATEWAY_MAC, net.ETHERTYPE_IPV4, ip))


async def _resolved(query: bytes) -> bytes | None:
    """Return the answer to a query for a name (RFC 1035, 4.1), None if that is malformed."""
    try:
        number, _, questions = struct.unpack_from(">HHH", query)
        labels, at = [], 12
        while size := query[at]:
            labels.append(query[at + 1 : at + 1 + size].decode())
            at += 1 + size
        kind, family = struct.unpack_from(">HH", query, at + 1)
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    if questions != 1:
        return None
    addresses = await _addresses(".".join(labels)) if (kind, family) == (A, IN) else []
    flags = 0x8180 | (FAILED_NAME if addresses is None else 0)
    found = addresses or []
    answer = struct.pack(">HHHHHH", number, flags, 1, len(found), 0, 0) + query[12 : at + 5]
    for address in found:
        answer += struct.pack(">HHHIH", 0xC00C, A, IN, 60, len(address)) + address
    return answer


async def _addresses(name: str) -> list[bytes] | None:
    """Return the addresses of a name, None if it has none; that of the host is the gateway's."""
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
        return [GATEWAY_IP]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the latter: a label that is too long
        return None
    addresses = [socket.inet_aton(str(one[4][0])) for one in found]
    return [GATEWAY_IP if one[0] == 127 else one for one in addresses]


class Network(NatBridge):
    """What the board finds behind the access point."""

    def __init__(self, rp2040: "RP2040", send: Send) -> None:
        super().__init__(rp2040, send)
        self._connections = self._tcp = Connections(rp2040, send)
        self._udp = Datagrams(rp2040, send)
        self._mac: bytes | None = None

    def handle_outbound_ethernet_frame(self, frame: bytes) -> None:
        """Pass on what the board sends."""
        self._mac = frame[6:12]
        super().handle_outbound_ethernet_frame(frame)

    def reset(self) -> None:
        """Forget the board: it has left, or has no power."""
        super().reset()
        self._mac = None

    async def forward(self, forward: Forward) -> None:
        """Let the host connect to a port of the board."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._mac is None:
                writer.transport.abort()
            else:
                await self._connections.accept(self._mac, forward.board, reader, writer)

        await asyncio.start_server(accept, LOOPBACK, forward.host)


class Bus(GSPIBus):
    """The radio's side of the wires."""

    def _build_async_event(self, *args: Any, **keywords: Any) -> bytes:
        """Return an event's frame, laid out as the chip's: its data begins at byte 46.

        The driver aligns it from there (cyw43_ll.c); rp2040py's begins at byte 40.
        """
        frame = super()._build_async_event(*args, **keywords)
        size = struct.pack("<H", len(frame) + 6)
        flags = bytes([*frame[4:7], SDPCM_HEADER_LEN + 2, *frame[8:12]])
        sdpcm = size + bytes(byte ^ 0xFF for byte in size) + flags
        bdc = bytes([*frame[12:15], 1])  # words between this header and the data
        return sdpcm + bytes(2) + bdc + bytes(4) + frame[16:]

    def power_off(self) -> None:
        """Forget all, the connections too."""
        super().power_off()
        if self.nat_bridge:
            self.nat_bridge.reset()


class Radio(Cyw43439):
    """A CYW43439 on the pins of a Pico W."""

    def __init__(self) -> None:
        super().__init__()
        self.bus = Bus()

    def attach(self, rp2040: "RP2040") -> None:
        """Connect the wires, and the network."""
        super().attach(rp2040)
        self.network = self.bus.nat_bridge = Network(rp2040, self.bus.queue_rx_ethernet_frame)

    async def forward(self, forwards: Sequence[Forward]) -> None:
        """Let the host connect to ports of the board."""
        for forward in forwards:
            await self.network.forward(forward)
