"""Tests that need a redis with nothing in it."""

import socket
import unittest


def ask(words):
    """What redis answers to a command, in its own protocol."""
    with socket.create_connection(("127.0.0.1", 6379), timeout=10) as redis, redis.makefile() as answers:
        redis.sendall(f"{words}\r\n".encode())
        return answers.readline().strip()


class Visits(unittest.TestCase):
    def tearDown(self):
        ask("FLUSHALL")

    def test_the_first_visit_is_number_one(self):
        assert ask("INCR visits") == ":1"

    def test_visits_are_counted(self):
        ask("INCR visits")
        assert ask("INCR visits") == ":2"
