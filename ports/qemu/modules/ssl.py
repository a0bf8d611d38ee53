# This file is part of modthread. SPDX-License-Identifier: MIT
"""TLS with the names that MicroPython's documentation of ssl gives; the module tls does the work."""

import tls
from tls import *


def _content(file):
    if isinstance(file, str):
        with open(file, "rb") as opened:
            return opened.read()
    return file


class SSLContext:
    def __init__(self, protocol):
        self._tls = tls.SSLContext(protocol)
        self.verify_mode = CERT_NONE

    # What is not below is in tls: get_ciphers(), set_ciphers() and wrap_socket() of a context.
    def __getattr__(self, name):
        return getattr(self._tls, name)

    @property
    def verify_mode(self):
        return self._tls.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._tls.verify_mode = mode

    def load_cert_chain(self, certfile, keyfile):
        self._tls.load_cert_chain(*map(_content, (certfile, keyfile)))

    def load_verify_locations(self, cafile=None, cadata=None):
        self._tls.load_verify_locations(cadata if cafile is None else _content(cafile))


def wrap_socket(
    sock,
    server_side=False,
    key=None,
    cert=None,
    cert_reqs=CERT_NONE,
    cadata=None,
    server_hostname=None,
    do_handshake=True,
):
    context = SSLContext(PROTOCOL_TLS_SERVER if server_side else PROTOCOL_TLS_CLIENT)
    context.verify_mode = cert_reqs
    if cert is not None:
        context.load_cert_chain(cert, key)
    if cadata is not None:
        context.load_verify_locations(cadata=cadata)
    options = {"server_hostname": server_hostname, "do_handshake_on_connect": do_handshake}
    return context.wrap_socket(sock, server_side=server_side, **options)
