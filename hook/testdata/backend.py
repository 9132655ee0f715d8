"""A backend in Python's standard library. Usage: HOOK_SECRET=... backend.py [port]

Prints its port. A request without a genuine signature gets status 401.
"""

import hashlib
import hmac
import json
import os
import sys
import time
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["HOOK_SECRET"].encode()


def genuine(header, body, secret):
    t, v1 = (part.partition("=")[2] for part in header.split(","))
    mac = hmac.new(secret, t.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(mac.encode(), v1.encode()) and abs(time.time() - int(t)) < 300


def connect(request, headers):
    session = SimpleCookie(headers.get("Cookie")).get("session")
    if session is None:
        return {"disconnect": {"code": 4501, "reason": "log in first"}}
    return {"result": {"user": session.value, "info": {"name": session.value.title()}, "channels": ["news"]}}


def subscribe(request, headers):
    if request["channel"] != "user:" + request["user"]:
        return {"error": {"code": 403, "message": "not yours"}}
    return {"result": {"override": {"presence": {"value": True}}}}


def publish(request, headers):
    if "damn" in request["data"]["text"]:
        return {"error": {"code": 400, "message": "mind your language"}}
    return {"result": {"data": {"text": request["data"]["text"].upper()}, "tags": {"by": request["user"]}}}


def rpc(request, headers):
    if request.get("method") != "sum":
        return {"error": {"code": 404, "message": "no such method"}}
    return {"result": {"data": sum(request["data"])}}


heard = []


def message(request, headers):
    heard.append(request["data"])
    return {}


EVENTS = {"/" + f.__name__: f for f in (connect, subscribe, publish, rpc, message)}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            ok = genuine(self.headers.get("X-Surewire-Signature", ""), body, SECRET)
        except ValueError:
            ok = False
        if ok and self.path in EVENTS:
            self.answer(200, EVENTS[self.path](json.loads(body), self.headers))
        else:
            self.answer(404 if ok else 401, {})

    def do_GET(self):
        self.answer(200, heard)

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
