"""A web application: counts its visits in redis and keeps each as a row in PostgreSQL."""

import json
import os
from contextlib import closing

import pg8000.dbapi
import redis

DATA = os.environ["DATA"]
cache = redis.Redis(unix_socket_path=f"{DATA}/cache/socket")


def database():
    return closing(pg8000.dbapi.connect("app", unix_sock=f"{DATA}/database/.s.PGSQL.5432", database="postgres"))


def visit(path):
    number = cache.incr("visits")
    with database() as connection:
        cursor = connection.cursor()
        cursor.execute("INSERT INTO visits (number, path) VALUES (%s, %s)", (number, path))
        cursor.execute("SELECT count(*), max(number) FROM visits")
        rows, newest = cursor.fetchone()
        connection.commit()
    return {"counted by redis": number, "rows in postgresql": rows, "newest row": newest}


def health():
    cache.ping()
    with database():
        return {"healthy": True}


def application(environ, start_response):
    path = environ["PATH_INFO"]
    body = json.dumps(health() if path == "/health" else visit(path)).encode() + b"\n"
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
