"""Servers and a client for scripts/object-store/test.

    servers.py proxy PORT TARGET           a way to the store that can be cut off while the store keeps its objects
    servers.py s3|gs PORT                  moto's S3 server, for gs in the dialect of Google's XML interface
    servers.py ENDPOINT make|list|await|unfinished|delete|fetch|spoil ...
"""

import asyncio
import os
import sys
import threading
import time


def proxy(port, target):
    """Passes bytes on, both ways."""

    async def pass_on(reader, writer):
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def connected(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pass_on(reader, there[1]), pass_on(there[0], writer))

    async def serve():
        server = await asyncio.start_server(connected, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(serve())


SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=none"


class Store:
    """moto's S3 with atomic conditions, faults on demand and, for gs://, the dialect of Google's XML interface.

    FAULTS names a file of three words while faults are wanted: a status, N, and `before` or `after`: every Nth request gets the status,
    instead of being done or although it was done.

    The dialect is bearer tokens, and generations as conditions of a write. It is ours, written after Google's documentation: no
    emulator on PyPI or npm speaks that interface with conditions.
    """

    def __init__(self, app, google):
        self.app, self.google, self.lock, self.requests = app, google, threading.Lock(), 0
        self.generations, self.last = {}, 1_700_000_000_000_000

    def fault(self):
        try:
            status, every, when = open(os.environ["FAULTS"]).read().split()
        except (KeyError, OSError, ValueError):
            return None
        self.requests += 1
        return (f"{status} Fault", when) if self.requests % int(every) == 0 else None

    def __call__(self, environ, respond):
        def refuse(status, unread=False):
            if unread:
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            respond(status, [("Content-Type", "application/xml")])
            return [b"<Error><Code>Refused</Code></Error>"]

        if self.google:
            environ["HTTP_AUTHORIZATION"] = SIGNED
        path, method, query = environ["PATH_INFO"], environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
        wanted = environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None)
        written = (method == "PUT" and "partNumber" not in query) or (method == "POST" and "uploadId" in query)
        with self.lock:
            fault, when = self.fault() or (None, None)
            if when == "before":
                return refuse(fault, unread=True)
            if wanted is not None and int(wanted) != self.generations.get(path, 0):
                return refuse("412 Precondition Failed", unread=True)

            def answer(status, headers, *rest):
                if status.startswith("2") and written:
                    self.last += 1
                    self.generations[path] = self.last
                if method == "DELETE" and not query:
                    self.generations.pop(path, None)
                if self.google and path in self.generations:
                    headers = [*headers, ("x-goog-generation", str(self.generations[path]))]
                return None if fault else respond(status, headers, *rest)

            body = list(self.app(environ, answer))
            return refuse(fault) if fault else body


def serve(port, google):
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", port, Store(DomainDispatcherApplication(create_backend_app), google), threaded=True)


def client(endpoint, command, *rest):
    import boto3

    s3 = boto3.client("s3", endpoint_url=endpoint)

    def objects(prefix):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="pairs", Prefix=prefix)
        return [item for page in pages for item in page.get("Contents", [])]

    if command == "make":
        s3.create_bucket(Bucket="pairs")
    if command == "list":
        print("\n".join(f"{item['Key']} {item['ETag'] if rest[1:] else ''}".strip() for item in objects(rest[0])))
    if command == "await":
        # Asked from within one process, which sees a shard that is made in a second before it ends.
        prefix, pairs = rest[0], int(rest[1])
        print("ready", flush=True)
        for _ in range(9000):
            names = [item["Key"] for item in objects(prefix)]
            if any(name.endswith("manifest.json") for name in names):
                sys.exit(f"{prefix} ended before it could be killed")
            if sum(name.endswith("pair.json") for name in names) >= pairs and any(name.endswith("progress.jsonl") for name in names):
                return
            time.sleep(0.01)
        sys.exit(f"{prefix} did not get under way")
    if command == "unfinished":
        print(len(s3.list_multipart_uploads(Bucket="pairs").get("Uploads", [])))
    if command == "delete":
        s3.delete_object(Bucket="pairs", Key=rest[0])
    if command == "spoil":
        s3.put_object(Bucket="pairs", Key=rest[0], Body=b"spoilt")
    if command == "fetch":
        for item in objects(rest[0]):
            path = os.path.join(rest[1], os.path.relpath(item["Key"], rest[0]))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            s3.download_file("pairs", item["Key"], path)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["proxy", port, target]:
            proxy(int(port), int(target))
        case [("s3" | "gs") as dialect, port]:
            serve(int(port), dialect == "gs")
        case [endpoint, command, *rest]:
            client(endpoint, command, *rest)
