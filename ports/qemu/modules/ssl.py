# This file is part of modthread. SPDX-License-Identifier: MIT
"""TLS, as MicroPython documents its module ssl; the module tls does the work."""

import tls
from tls import *


def _content(source):
    if not isinstance(source, str):
        return source
    with open(source, "rb") as file:
        return file.read()


class SSLContext:
    def __init__(self, protocol):
        self._context = tls.SSLContext(protocol)
        self._context.verify_mode = CERT_NONE

    @property
    def verify_mode(self):
        return self._context.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._context.verify_mode = mode

    def get_ciphers(self):
        return self._context.get_ciphers()

    def set_ciphers(self, ciphers):
        self._context.set_ciphers(ciphers)

    def load_cert_chain(self, certfile, keyfile):
        self._context.load_cert_chain(_content(certfile), _content(keyfile))

    def load_verify_locations(self, cafile=None, cadata=None):
        self._context.load_verify_locations(_content(cafile) if cafile else cadata)

    def wrap_socket(
        self, sock, *, server_side=False, do_handshake_on_connect=True, server_hostname=None
    ):
        return self._context.wrap_socket(
            sock,
            server_side=server_side,
            do_handshake_on_connect=do_handshake_on_connect,
            server_hostname=server_hostname,
        )


def wrap_socket(
    sock,
    *,
    server_side=False,
    key=None,
    cert=None,
    cert_reqs=CERT_NONE,
    cadata=None,
    server_hostname=None,
    do_handshake=True,
):
    context = SSLContext(PROTOCOL_TLS_SERVER if server_side else PROTOCOL_TLS_CLIENT)
    if key or cert:
        context.load_cert_chain(cert, key)
    if cadata:
        context.load_verify_locations(cadata=cadata)
    context.verify_mode = cert_reqs
    return context.wrap_socket(
        sock,
        server_side=server_side,
        do_handshake_on_connect=do_handshake,
        server_hostname=server_hostname,
    )
