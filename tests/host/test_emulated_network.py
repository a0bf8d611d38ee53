"""The network of the emulated Pico W; tests/network/test_radio.py has the board on it."""

import asyncio
import socket
import struct
from unittest.mock import Mock

import pytest
from rp2040py.external.cyw43 import net
from rp2040py.external.cyw43.nat import GATEWAY_IP, GATEWAY_MAC, GUEST_IP

from modthread._emulators import radio
from modthread._emulators.radio import Bus, Connections

MAC = bytes.fromhex("28cdc1000001")
PORT, CLIENT = 80, 50000


def query(name: str, kind: int = 1) -> bytes:
    """Return a question for a name's address, or for what `kind` says."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)


@pytest.mark.parametrize(
    ("question", "flags", "addresses"),
    [
        (query("host.localhost"), 0x8180, [GATEWAY_IP]),
        (query("localhost"), 0x8180, [GATEWAY_IP]),
        (query("localhost", kind=28), 0x8180, []),
        (query(64 * "x"), 0x8183, []),
    ],
)
def test_names(question: bytes, flags: int, addresses: list[bytes]) -> None:
    answer = asyncio.run(radio._resolved(question))
    assert answer
    assert struct.unpack_from(">HHHH", answer) == (7, flags, 1, len(addresses))
    records = answer[12:].removeprefix(question[12:])
    assert [records[at + 12 : at + 16] for at in range(0, len(records), 16)] == addresses


@pytest.mark.parametrize("question", [b"", query("name")[:-1], b"\0" * 12, query("x")[:13]])
def test_a_malformed_question_has_no_answer(question: bytes) -> None:
    assert asyncio.run(radio._resolved(question)) is None


def test_the_data_of_an_event_is_where_the_driver_aligns_it() -> None:
    frame = Bus()._build_async_event(16, 0, flags=1)
    size, complement = struct.unpack_from("<HH", frame)
    assert (size, complement) == (len(frame), len(frame) ^ 0xFFFF)
    header = frame[7]
    payload = header + 4 + 4 * frame[header + 3]
    assert frame[payload + 12 : payload + 14] == b"\x88\x6c"
    assert payload + 24 == 46
    assert struct.unpack_from(">HL", frame, 46 + 2) == (1, 16)


async def forwarded() -> list[tuple[int, bytes]]:
    """Let a client of the host talk to a board that is played here; returns what that got."""
    frames: asyncio.Queue[bytes] = asyncio.Queue()
    connections = Connections(Mock(), frames.put_nowait)
    seen = []

    async def from_host() -> net.TcpSegment:
        ip = net.parse_ipv4((await frames.get())[14:])
        segment = net.parse_tcp(ip.payload) if ip else None
        assert segment
        seen.append((segment.flags, segment.payload))
        return segment

    def from_board(port: int, seq: int, ack: int, flags: int, payload: bytes = b"") -> None:
        tcp = net.pack_tcp(GUEST_IP, GATEWAY_IP, PORT, port, seq, ack, flags, 5000, payload)
        packet = net.pack_ipv4(GUEST_IP, GATEWAY_IP, net.IP_PROTO_TCP, tcp)
        frame = net.parse_ethernet(net.pack_ethernet(GATEWAY_MAC, MAC, net.ETHERTYPE_IPV4, packet))
        ip = net.parse_ipv4(packet)
        assert frame
        assert ip
        connections.maybe_handle(frame, ip)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await connections.accept(MAC, PORT, reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    syn = await from_host()
    ack = syn.seq + 1
    from_board(syn.src_port, 100, ack, net.TCP_SYN | net.TCP_ACK)
    await from_host()
    writer.write(b"question")
    ack += len((await from_host()).payload)
    from_board(syn.src_port, 101, ack, net.TCP_ACK | net.TCP_PSH, b"answer")
    await from_host()
    from_board(syn.src_port, 107, ack, net.TCP_ACK | net.TCP_FIN)
    assert await reader.read() == b"answer"
    writer.close()
    await from_host()
    server.close()
    return seen


def test_a_client_of_the_host_reaches_the_board() -> None:
    flags = [flag for flag, _ in asyncio.run(asyncio.wait_for(forwarded(), 30))]
    assert flags[:4] == [net.TCP_SYN, net.TCP_ACK, net.TCP_ACK | net.TCP_PSH, net.TCP_ACK]


def test_names_of_the_host_are_those_of_its_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, *_: object, **__: object) -> list[object]:
        assert name == "desk"
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in ("127.0.1.1", "10.1.1.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert asyncio.run(radio._addresses("desk")) == [GATEWAY_IP, bytes([10, 1, 1, 1])]
