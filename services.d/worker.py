"""Fetches $PAGE every few seconds, and finishes what it is doing when it is asked to stop."""

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
    page = browser.open(os.environ["PAGE"], timeout=5).read()
    print("fetched", len(page), "bytes")
    time.sleep(5)
