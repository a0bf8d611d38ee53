# A web server in one thread, a sensor in another: for a board with a radio, as the Pico W, or with Ethernet.

import network
import socket
import threading
import time

NAME, KEY = "RP2040PY-GUEST", None  # of your access point; these are the emulated one's
PERIOD = 10  # ms
PAGE = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n%d samples, the last one is %d\n"
samples = [0, 0]  # how many, the last one


def read_sensor():
    return time.ticks_us() % 100  # put the sensor here


def sample():
    due = time.ticks_ms()
    while True:
        samples[:] = samples[0] + 1, read_sensor()
        due = time.ticks_add(due, PERIOD)
        time.sleep_ms(max(0, time.ticks_diff(due, time.ticks_ms())))


def answer(client):
    client.settimeout(5)
    request = b""
    while b"\r\n\r\n" not in request:
        part = client.recv(512)
        if not part:
            return
        request = (request + part)[-1024:]
    client.sendall(PAGE % tuple(samples))


def serve():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", 80))
    server.listen(4)
    print("http://%s/ is there until Ctrl-C" % address)
    while True:
        client, _ = server.accept()
        try:
            answer(client)
        except OSError as error:
            print("a client has gone:", error)
        finally:
            client.close()


def connect():
    if hasattr(network, "WLAN"):
        interface = network.WLAN(network.STA_IF)
        interface.active(True)
        interface.connect(NAME, KEY)
    else:
        interface = network.LAN()
        interface.active(True)
    while not interface.isconnected():
        time.sleep_ms(100)
    return interface.ifconfig()[0]


address = connect()
threading.Thread(target=sample).start()
server = threading.Thread(target=serve)
server.start()
server.join()
