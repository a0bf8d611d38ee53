# A button's interrupt wakes a thread. The handler only says so, and the thread does the work.

import threading

import machine

pressed = threading.Lock()  # free when there is work
pressed.acquire()


def on_press(source):
    if pressed.locked():  # else the thread has not yet seen the last one
        pressed.release()


def work():
    for n in range(1, 4):
        pressed.acquire()
        print("pressed", n)


thread = threading.Thread(target=work)
thread.start()

if hasattr(machine, "Pin"):
    # With a real button: Pin(2, Pin.IN, Pin.PULL_UP), and no finger.
    button = machine.Pin(2, machine.Pin.OUT, value=1)
    button.irq(on_press, machine.Pin.IRQ_FALLING, hard=True)
    finger = machine.Timer(period=30, callback=lambda timer: button.toggle())
else:  # an emulated board without pins
    finger = machine.Timer(period=60, callback=on_press)

thread.join()
finger.deinit()
print("The thread has ended")
