# A soft reset deletes a thread that computes for ever, and takes no notice of SystemExit.

import _thread

reset = True


def computes():
    while True:
        try:
            while True:
                pass
        except SystemExit:
            pass


def main():
    _thread.start_new_thread(computes, ())
