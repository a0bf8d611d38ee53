# Runs a program of MicroPython's tests/perf_bench, which was sent before, on the largest of its data
# for a small board: its `mhz` and `kilobytes` are the keys of their table.


def largest(mhz, kilobytes):
    fitting = [size for size in bm_params if size[0] <= mhz and size[1] <= kilobytes]
    return bm_params[max(fitting)]


def run(name):
    run_it, result = bm_setup(largest(100, 100))
    gc.collect()
    start = time.ticks_us()
    run_it()
    report(name, "ns", time.ticks_diff(time.ticks_us(), start) * 1000, 1)
    result()
