"""Leaves processes behind, as badly written daemons do: double-forked, in sessions of their own."""

import os
import time


def leave_behind(seconds):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(seconds)
        os._exit(0)
    os.wait()


leave_behind(1_000_000)
print("left one behind that stays")
while True:
    time.sleep(5)
    leave_behind(1)
    print("left one behind that ends soon")
