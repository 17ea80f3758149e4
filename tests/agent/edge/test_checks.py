"""Checks do not disturb the apps they ask, and errors of our own speak the visitor's language."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from perron.agent.edge import admin
from perron.agent.instances.health import Findings, become_well
from perron.contract.node import HealthCheck

from .conftest import App, free_ports, until

# As Python's own http.server answers: the head first, the body in its own time.
SLOW_SPEAKER = """
import http.server, sys, time

class Speaker(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        time.sleep(0.01)
        self.wfile.write(b"hello world")

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Speaker).serve_forever()
"""


def test_an_app_that_answers_in_two_pieces_hears_nothing_of_sixty_checks(run, tmp_path):
    async def story(world):
        said, port = tmp_path / "said", free_ports(1)[0]
        with said.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", SLOW_SPEAKER, str(port)], stderr=output
            )
        app = App(port, process, 1)
        world.apps.append(app)
        check = HealthCheck(interval=0.1)
        assert await become_well(check, port, "shop.localhost", Findings())
        await world.edge.apply([world.backend(app.target(), health=check)])
        await until(lambda: said.read_text().count('"GET / HTTP') >= 60, within=30)
        assert "Traceback" not in said.read_text()
        assert (await world.edge.states())["ins_1"].up

    run(story)


def test_an_answer_without_a_body_passes_its_check(run):
    async def story(world):
        shop = await world.app()
        check = HealthCheck(path="/healthz", interval=0.1)
        await world.edge.apply([world.backend(shop.target(), health=check)])

        async def was_checked_often():
            return json.loads((await world.get()).body)["checks"] > 6

        await until(was_checked_often)
        assert (await world.edge.states())["ins_1"].up

    run(story)


def test_errors_of_our_own_are_json_for_programs_and_a_page_for_people(run):
    async def story(world):
        shop = await world.app()
        backend = world.backend(shop.target(), max_body=1000, idle_timeout=1)
        await world.edge.apply([backend])
        json_please = "Accept: application/json\r\n"
        for path, body, status in (("/wait/5", b"", 504), ("/", b"x" * 1001, 413)):
            method = "POST" if body else "GET"
            told = await world.get(path, method=method, body=body, headers=json_please)
            assert (told.status, json.loads(told.body)["status"]) == (status, status)
            assert told.headers["content-type"] == "application/problem+json"
            assert json.loads(told.body)["request_id"] == told.headers["x-request-id"]
            shown = await world.get(path, method=method, body=body, headers="Accept: text/html\r\n")
            assert (shown.status, shown.headers["content-type"]) == (status, "text/html")
            assert shown.headers["x-request-id"] in shown.text
            assert "x-perron-error" not in shown.headers

    run(story)


def test_an_answer_that_is_not_http_is_a_502_in_our_own_words(run):
    async def story(world):
        async def speak(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"what?\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        shop = await world.app()
        async with server:
            target = replace(shop.target(), port=port)
            await world.edge.apply([world.backend(target, health=HealthCheck(kind="tcp"))])
            told = await world.get(headers="Accept: application/json\r\n")
            assert (told.status, json.loads(told.body)["title"]) == (502, "Bad answer")
            shown = await world.get()
            assert (shown.status, "<h1>Bad answer</h1>" in shown.text) == (502, True)

    run(story)


def test_who_is_not_let_in_is_told_so_in_our_own_words(run):
    async def story(world):
        shop = await world.app()
        shut = world.backend(shop.target(), user="lin", password="sha256$s$" + "0" * 64)
        await world.edge.apply([shut])
        shown = await world.get()
        assert (shown.status, "<h1>Protected</h1>" in shown.text) == (401, True)
        assert shown.headers["www-authenticate"] == 'Basic realm="Protected"'
        told = await world.get(headers="Accept: application/json\r\n")
        assert json.loads(told.body)["status"] == 401

    run(story)


def test_hosts_that_were_added_are_led_to_https_and_generated_ones_are_not(run):
    async def story(world):
        shop = await world.app()
        backend = world.backend(shop.target())
        await world.edge.apply([replace(backend, hosts=("shop.localhost", "shop.test"))])
        moved = await world.get(host="shop.test", path="/a?b=c")
        there = f"https://shop.test:{world.settings.https_port}/a?b=c"
        assert (moved.status, moved.headers["location"]) == (308, there)
        assert (await world.get()).status == 200
        done = await asyncio.create_subprocess_exec(
            "curl", "-s", "--cacert", str(world.home.keys / "ca.pem"), "--resolve",
            f"shop.test:{world.settings.https_port}:127.0.0.1", there,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        said, _ = await done.communicate()
        seen = json.loads(said)
        assert (seen["path"], seen["headers"]["x-forwarded-proto"]) == ("/a?b=c", "https")

    run(story)


def test_a_worker_ends_with_its_master_and_serves_no_stale_route(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        master, worker = world.master, await admin.worker(world.edge._process.socket)
        reader, writer = await world.connect()  # a stream would keep a worker that lingers
        writer.write(b"GET /sse HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
        await reader.readuntil(b"data: 1\n")
        os.kill(master, signal.SIGKILL)
        await until(lambda: not Path(f"/proc/{worker}/exe").exists(), within=3)
        await until(lambda: world.edge.is_up() and world.master not in (None, master))
        assert (await world.get()).status == 200
        writer.close()

    run(story)
