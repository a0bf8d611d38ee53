"""What the end of the main script and a soft reset mean for the threads of threading."""

from console import PROMPT, Console

SCRIPT = """
import threading, time
def work(name):
    try:
        while True:
            time.sleep_ms(5)
            beats[name] = beats.get(name, 0) + 1
    finally:
        print('end of', name)
beats = {}
for daemon in (False, True):
    name = 'daemon' if daemon else 'other'
    threading.Thread(target=work, args=(name,), name=name, daemon=daemon).start()
print('end of script')
"""


def test_the_end_of_the_script_ends_none_and_a_soft_reset_all(console: Console) -> None:
    output = console.run(SCRIPT)
    assert output == "end of script\r\n", output
    seen = 0
    for _ in range(2):
        _, *counts = console.value(
            "time.sleep_ms(50), beats.get('daemon', 0), beats.get('other', 0)"
        )
        assert min(counts) > seen
        seen = min(counts)
    assert console.value("threading.active_count()") == 3
    console.send(b"\x04")
    output = console.expect(PROMPT)
    assert "end of daemon\r\n" in output, output
    assert "end of other\r\n" in output, output
    assert console.value("len(__import__('_thread')._threads())") == 1
