"""Fetches the page every few seconds, and finishes what it is doing when it is asked to stop."""

import os
import signal
import sys
import time
import urllib.request


def finish(number, frame):
    print("asked to stop: finishing the work in hand")
    sys.exit(0)


signal.signal(signal.SIGTERM, finish)
browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
while True:
    print("fetched", len(browser.open(f"http://127.0.0.1:{os.environ['PORT']}/", timeout=5).read()), "bytes")
    time.sleep(5)
