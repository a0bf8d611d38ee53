# A sensor is sampled every 10 ms, although the display takes 70 ms to show a value.

import threading
import time

PERIOD = 10  # ms
lock = threading.Lock()
samples = []
late = []
done = threading.Event()


def read_sensor():
    return time.ticks_us() % 100  # put the sensor here


def sample():
    due = time.ticks_ms()
    while not done.is_set():
        value = read_sensor()
        with lock:
            samples.append(value)
        late.append(time.ticks_diff(time.ticks_ms(), due))
        due = time.ticks_add(due, PERIOD)
        time.sleep_ms(max(0, time.ticks_diff(due, time.ticks_ms())))


def show(text):
    time.sleep_ms(70)  # a slow display
    print(text)


sampler = threading.Thread(target=sample)
sampler.start()
for _ in range(5):
    with lock:
        taken = samples[:]
        samples.clear()
    mean = sum(taken) // len(taken) if taken else 0
    show("%d samples, mean %d" % (len(taken), mean))
done.set()
sampler.join()
print("%d samples, the latest one %d ms late" % (len(late), max(late)))
