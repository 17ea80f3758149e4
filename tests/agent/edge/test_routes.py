"""Which app answers which visitor, and what they see when none does."""

import asyncio
import json
import signal
import socket
import ssl
import subprocess
from dataclasses import replace
from hashlib import sha256

import pytest

from perron.agent.edge import Edge, PortTaken
from perron.agent.edge.process import bindable
from perron.contract.node import Certificate, HealthCheck

from .conftest import exchange, until


def test_a_host_leads_to_its_app_and_no_other(run):
    async def story(world):
        shop, blog = await world.app(), await world.app()
        await world.edge.apply(
            [world.backend(shop.target()), world.backend(blog.target(), name="blog")]
        )
        assert json.loads((await world.get()).body)["pid"] == shop.process.pid
        there = await world.get(host="BLOG.localhost.:80")
        assert json.loads(there.body)["pid"] == blog.process.pid
        assert (await world.get(host="other.localhost")).status == 404

    run(story)


def test_what_visitors_claim_about_themselves_is_replaced(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        lies = "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nForwarded: for=9.9.9.9\r\n"
        lies += "X-Forwarded-Anything: 1\r\nX-Real-IP: 9.9.9.9\r\nX-Request-Id: bad id!\r\n"
        seen = json.loads((await world.get(headers=lies)).body)["headers"]
        assert seen["x-forwarded-for"] == "127.0.0.1"
        assert seen["x-forwarded-proto"] == "http"
        assert seen["x-forwarded-host"] == "shop.localhost"
        assert "forwarded" not in seen
        assert "x-forwarded-anything" not in seen
        assert "x-real-ip" not in seen
        assert seen["x-request-id"] != "bad id!"
        kept = await world.get(headers="X-Request-Id: from-a-friend-1\r\n")
        assert kept.headers["x-request-id"] == "from-a-friend-1"

    run(story)


@pytest.mark.parametrize(
    ("page", "status"), [("empty", 404), ("stopped", 503), ("starting", 503), ("crashed", 503)]
)
def test_each_state_without_an_instance_has_its_page(run, page, status):
    async def story(world):
        await world.edge.apply([world.backend(page=page)])
        seen = await world.get()
        assert seen.status == status
        assert seen.headers["content-type"] == "text/html"
        assert seen.headers["x-request-id"] in seen.text
        asked = await world.get(headers="Accept: application/json\r\n")
        told = json.loads(asked.body)
        assert (told["status"], asked.status) == (status, status)
        assert told["request_id"] == asked.headers["x-request-id"]

    run(story)


def test_maintenance_shows_its_page_though_instances_serve(run):
    async def story(world):
        shop = await world.app()
        backend = world.backend(shop.target())
        await world.edge.apply([replace(backend, maintenance=True)])
        seen = await world.get()
        assert (seen.status, "Maintenance" in seen.text) == (503, True)
        assert "retry-after" in seen.headers
        await world.edge.apply([backend])
        assert (await world.get()).status == 200

    run(story)


def test_a_protected_app_wants_the_right_name_and_password(run):
    async def story(world):
        shop = await world.app()
        digest = sha256(b"s4lt:lin:open sesame").hexdigest()
        protected = world.backend(shop.target(), user="lin", password=f"sha256$s4lt${digest}")
        await world.edge.apply([protected])
        assert (await world.get()).status == 401
        wrong = "Authorization: Basic bGluOndyb25n\r\n"  # lin:wrong
        assert (await world.get(headers=wrong)).status == 401
        right = "Authorization: Basic bGluOm9wZW4gc2VzYW1l\r\n"
        let_in = await world.get(headers=right)
        assert let_in.status == 200
        assert "authorization" not in json.loads(let_in.body)["headers"]
        await world.edge.apply([replace(protected, password="$6$what$is-this")])
        assert (await world.get(headers=right)).status == 401

    run(story)


def test_the_platform_has_its_own_host_and_says_when_its_server_is_away(run):
    async def story(world):
        away = await world.get(host="perron.localhost", headers="Accept: application/json\r\n")
        assert away.status == 503
        assert json.loads(away.body)["title"] == "Perron is away"

        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nserver")
            writer.close()

        server = await asyncio.start_unix_server(serve, str(world.home.api_socket))
        world.home.api_socket.chmod(0o666)
        async with server:
            assert (await world.get(host="perron.localhost")).text == "server"

    run(story)


def test_https_shows_the_internal_cas_certificate_and_speaks_http2(run):
    async def story(world):
        shop = await world.app()
        backend = world.backend(shop.target())
        await world.edge.apply([replace(backend, hosts=("shop.localhost", "shop.test"))])
        for host in ("shop.localhost", "shop.test", "perron.localhost"):
            assert await asyncio.to_thread(_common_names, world, host) >= {host}
        told = await asyncio.to_thread(_curl, world, "shop.test", "/")
        assert told == "2 200"

    run(story)


def test_a_given_certificate_is_in_force_at_once_renewed_and_taken_back(run):
    async def story(world):
        shop = await world.app()
        backend = replace(world.backend(shop.target()), hosts=("shop.localhost", "shop.test"))
        await world.edge.apply([backend])
        first = world.edge._keyring._authority.issue(["shop.test", "first.test"])
        second = world.edge._keyring._authority.issue(["shop.test", "second.test"])
        master = world.master
        for pem, name in ((first, "first.test"), (second, "second.test")):
            given = (Certificate(host="shop.test", pem=pem),)
            await world.edge.apply([replace(backend, certificates=given)])
            assert name in await asyncio.to_thread(_common_names, world, "shop.test")
            assert await asyncio.to_thread(_common_names, world, "shop.localhost") == {
                "shop.localhost"
            }
        plain = await world.get(host="shop.test", path="/a?b=c")
        assert plain.status == 308
        port = world.settings.https_port
        assert plain.headers["location"] == f"https://shop.test:{port}/a?b=c"
        await world.edge.apply([backend])
        assert "second.test" not in await asyncio.to_thread(_common_names, world, "shop.test")
        assert (world.master, (await world.get(host="shop.test")).status) == (master, 308)

    run(story)


def test_a_certificate_that_cannot_be_used_stops_nothing(run):
    async def story(world):
        shop = await world.app()
        bad = (Certificate(host="shop.test", pem="not a certificate"),)
        backend = replace(world.backend(shop.target()), hosts=("shop.localhost", "shop.test"))
        await world.edge.apply([replace(backend, certificates=bad)])
        assert (await world.get()).status == 200
        assert "shop.test" in await asyncio.to_thread(_common_names, world, "shop.test")

    run(story)


def test_sticky_visitors_stay_with_their_instance_until_it_leaves(run):
    async def story(world):
        one, two = await world.app(), await world.app()
        backend = world.backend(one.target(), two.target(), sticky=True)
        await world.edge.apply([backend])
        first = await world.get()
        cookie = f"Cookie: {first.headers['set-cookie'].split(';')[0]}\r\n"
        mine = json.loads(first.body)["pid"]
        for _ in range(6):
            assert json.loads((await world.get(headers=cookie)).body)["pid"] == mine
        stays = two if mine == one.process.pid else one
        leaves = one if stays is two else two
        await world.edge.apply(
            [replace(backend, targets=(leaves.target(serving=False), stays.target()))]
        )
        after = json.loads((await world.get(headers=cookie)).body)["pid"]
        assert after == stays.process.pid

    run(story)


def test_the_check_of_an_environment_takes_an_ill_instance_out(run):
    async def story(world):
        well, ill = await world.app(), await world.app()
        health = HealthCheck(path="/healthz?from=edge", interval=0.1)
        backend = world.backend(well.target(), ill.target(), health=health)
        await world.edge.apply([backend])
        await exchange(ill.port, b"GET /fall-ill HTTP/1.1\r\nHost: x\r\n\r\n")

        async def is_out():
            states = await world.edge.states()
            return not states[ill.target().name].up and states[well.target().name].up

        await until(is_out)
        pids = {json.loads((await world.get()).body)["pid"] for _ in range(6)}
        assert pids == {well.process.pid}

        async def has_failed_often():
            return (await world.edge.states())[ill.target().name].failures >= 6

        await until(has_failed_often)

    run(story)


def test_a_strict_check_wants_success_and_another_kind_moves_the_app_without_loss(run):
    async def story(world):
        shop = await world.app()
        await world.get_of(shop, "/checks-see/404")
        lenient = HealthCheck(path="/healthz", interval=0.1)
        await world.edge.apply([world.backend(shop.target(), health=lenient)])
        before = json.loads((await world.get()).body)["checks"]

        async def was_checked_often():
            return json.loads((await world.get()).body)["checks"] > before + 8

        await until(was_checked_often)
        assert (await world.edge.states())[shop.target().name].up
        await world.get_of(shop, "/checks-see/200")
        strict = lenient.model_copy(update={"strict": True})
        await world.edge.apply([world.backend(shop.target(), health=strict)])
        assert (await world.get()).status == 200
        await world.get_of(shop, "/checks-see/404")

        async def is_out():
            return not (await world.edge.states())[shop.target().name].up

        await until(is_out)
        assert "Not answering" in (await world.get()).text
        tcp = HealthCheck(kind="tcp", interval=0.1)
        await world.edge.apply([world.backend(shop.target(), health=tcp)])
        assert (await world.get()).status == 200

    run(story)


def test_a_taken_port_is_refused_naming_its_holder(run):
    async def story(world):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            home = replace(world.home, path=world.home.path / "other")
            other = Edge(home, replace(world.settings, http_port=port))
            with pytest.raises(PortTaken, match=rf"{port}.*process \d+"):
                await other.start()

    run(story)


def test_a_pool_that_is_used_up_grows_and_nobody_is_cut(run):
    async def story(world):
        frame = world.edge._frame
        world.edge._frame = replace(frame, pools={**frame.pools, "http": 2})
        world.edge._write_down()
        await world.edge._process.reload()
        apps = [await world.app() for _ in range(3)]
        backends = [world.backend(each.target(), name=f"a{each.number}") for each in apps]
        await world.edge.apply(backends[:2])
        reader, writer = await world.connect()
        writer.write(b"GET /sse HTTP/1.1\r\nHost: a1.localhost\r\n\r\n")
        await reader.readuntil(b"data: 3\n\n")
        await world.edge.apply(backends)
        for each in apps:
            there = await world.get(host=f"a{each.number}.localhost")
            assert json.loads(there.body)["pid"] == each.process.pid
        await reader.readuntil(b"data: 20\n\n")
        assert (await world.edge.in_flight())[apps[0].target().name] == 1
        assert await world.edge.close(apps[0].target().name) == 1
        await asyncio.wait_for(reader.read(-1), 5)
        writer.close()

    run(story)


@pytest.mark.skipif(not bindable(("::1",)), reason="no IPv6 on this machine")
def test_a_reload_leaves_every_address_listening(run):
    async def story(world):
        await world.edge.apply([world.backend((await world.app()).target())])
        await world.edge._process.reload()
        for host in ("127.0.0.1", "::1"):
            _, writer = await asyncio.open_connection(host, world.settings.http_port)
            writer.close()
        assert (await world.get("/")).status == 200

    run(story, bind="127.0.0.1,::1")


def test_another_agent_adopts_the_edge_and_corrects_it(run):
    async def story(world):
        shop, other = await world.app(), await world.app()
        await world.edge.apply([world.backend(shop.target())])
        master = world.master
        await world.reopen()
        assert world.master == master
        assert (await world.get()).status == 200
        await world.edge.apply([world.backend(other.target(8))])
        assert json.loads((await world.get()).body)["pid"] == other.process.pid
        assert world.master == master

    run(story)


@pytest.mark.fault
@pytest.mark.parametrize("victim", ["master", "worker", "both"])
def test_a_killed_edge_is_back_within_a_second_with_everything(run, victim):
    async def story(world):
        apps = [await world.app() for _ in range(2)]
        digest = sha256(b"s:lin:open sesame").hexdigest()
        secret = world.backend(apps[1].target(), name="secret", password=f"sha256$s${digest}")
        await world.edge.apply([world.backend(apps[0].target()), secret])
        master = world.master
        from perron.agent.edge import admin

        worker = await admin.worker(world.edge._process.socket)
        loop = asyncio.get_running_loop()
        began = loop.time()
        import os

        for name, pid in (("master", master), ("worker", worker)):
            if victim in (name, "both"):
                os.kill(pid, signal.SIGKILL)
        await until(lambda: world.master not in (None, master))

        async def answers():
            try:
                return json.loads((await world.get()).body)["pid"] == apps[0].process.pid
            except (OSError, asyncio.IncompleteReadError):
                return False

        await until(answers)
        assert loop.time() - began < 3  # a second on an idle machine; others share this one
        assert (await world.get(host="secret.localhost")).status == 401
        assert await asyncio.to_thread(_common_names, world, "shop.localhost") == {"shop.localhost"}
        await world.edge.apply([world.backend(apps[1].target())])
        assert json.loads((await world.get()).body)["pid"] == apps[1].process.pid

    run(story)


@pytest.mark.fault
def test_after_everything_died_nobody_is_led_to_an_instance_that_may_have_moved(run):
    async def story(world):
        shop = await world.app()
        await world.edge.apply([world.backend(shop.target())])
        await world.edge.stop()
        world.edge = Edge(world.home, world.settings)
        await world.edge.start()
        seen = await world.get()
        assert (seen.status, "Starting" in seen.text) == (503, True)
        await world.edge.apply([world.backend(shop.target())])
        assert (await world.get()).status == 200

    run(story)


def _common_names(world, host):
    context = ssl.create_default_context(cafile=str(world.home.keys / "ca.pem"))
    with (
        socket.create_connection(("127.0.0.1", world.settings.https_port)) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return {name for _, name in secure.getpeercert()["subjectAltName"]}


def _curl(world, host, path):
    told = subprocess.run(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--cacert",
         str(world.home.keys / "ca.pem"), "--connect-to",
         f"{host}:443:127.0.0.1:{world.settings.https_port}", f"https://{host}{path}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout
