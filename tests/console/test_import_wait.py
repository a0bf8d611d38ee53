"""Ctrl-C and Ctrl-D while the main program waits for a module that a thread imports."""

from console import Console

SETUP = """
import _thread, os, sys, time
with open('endless.py', 'w') as file:
    _ = file.write('import time\\nwhile True:\\n    time.sleep(1)\\n')
def work():
    sys.path.insert(0, '')
    try:
        import endless
    finally:
        os.remove('endless.py')
_ = _thread.stack_size(16384)
_ = _thread.start_new_thread(work, ())
while 'endless' not in sys.modules:
    time.sleep_ms(5)
"""


def test_interrupted(console: Console) -> None:
    """The wait ends, the import of the thread goes on, and a soft reset ends that."""
    console.run(SETUP)
    for _ in range(2):
        console.start("print('begin')\nimport endless")
        console.expect(b"begin\r\n")
        output = console.interrupt()
        assert output.endswith("KeyboardInterrupt: \r\n"), output
    assert console.value("len(__import__('_thread')._threads())") == 2
    console.soft_reset()
    assert console.value("'endless' in __import__('sys').modules") is False
    assert console.value("'endless.py' in __import__('os').listdir()") is False
