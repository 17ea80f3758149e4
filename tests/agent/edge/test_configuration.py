"""The configuration is put together from a part that is kept and the servers of now."""

from dataclasses import replace

from perron.agent.edge import configuration
from perron.agent.edge.configuration import Frame, Server
from perron.agent.edge.model import KINDS
from perron.kit.settings import Home, Settings

POOLS = {kind: 3 for kind in KINDS}
SERVERS = {
    "tcp-sticky-00002": [Server("last", 40003, True)],
    "http-00000": [Server("one", 40001, True), Server("two", 40002, False)],
    "strict-00001": [],
}


def frame(tmp_path, **changed):
    return Frame(Home(tmp_path), Settings(), ("127.0.0.1",), False, POOLS | changed)


def sections(text):
    """The lines of every backend, by its name."""
    found = {}
    for part in text.split("\nbackend ")[1:]:
        head, *lines = part.splitlines()
        found[head.split()[0]] = [line.strip() for line in lines if line.strip()]
    return found


def test_every_server_stands_under_its_own_backend(tmp_path):
    found = sections(configuration.write(frame(tmp_path), SERVERS))
    numbered = {name: lines for name, lines in found.items() if name[-5:].isdigit()}
    assert len(numbered) == 3 * len(KINDS)
    assert [line.split()[1] for line in numbered["http-00000"]] == ["one", "two"]
    assert [line.endswith("disabled") for line in numbered["http-00000"]] == [False, True]
    assert [line.split()[1] for line in numbered["tcp-sticky-00002"]] == ["last"]
    assert sum(bool(lines) for lines in numbered.values()) == 2


def test_a_pool_that_grew_moves_what_follows(tmp_path):
    small = frame(tmp_path)
    configuration.write(small, SERVERS)
    large = replace(small, pools=POOLS | {"http": 7})
    found = sections(configuration.write(large, SERVERS | {"http-00006": [Server("new", 4, True)]}))
    assert [line.split()[1] for line in found["http-00006"]] == ["new"]
    assert [line.split()[1] for line in found["tcp-sticky-00002"]] == ["last"]


def test_a_certificate_that_somebody_removed_is_made_again(run):
    async def story(world):
        backends = [world.backend((await world.app()).target())]
        await world.edge.apply(backends)
        kept = {path: path.read_bytes() for path in world.home.edge.glob("certs/*.pem")}
        lost = next(path for path in kept if path.name != "default.pem")
        lost.unlink()
        await world.edge.apply(backends)
        assert lost.exists()
        assert all(path.read_bytes() == told for path, told in kept.items() if path != lost)

    run(story)
